//go:build 386 || arm || mips || mipsle

package engine

// The name says what the compiler has to say here: addresses of the engine's
// memory and its values are of 64 bits.
var _ = module_fetchscript_needs_a_64_bit_system_such_as_amd64_or_arm64
