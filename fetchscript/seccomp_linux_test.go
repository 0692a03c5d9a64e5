//go:build linux && (amd64 || arm64)

package fetchscript_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"example.com/upstream/fetchscript"
)

const reachVariable = "FETCHSCRIPT_TEST_REACH"

// programSecret is for the confined process to look for.
var programSecret = []byte("a secret of the program")

// TestConfinedProcessReachesNothing starts a process that is confined as a child
// is, and then tries what a fault of the engine would let a script do.
func TestConfinedProcessReachesNothing(t *testing.T) {
	if target := os.Getenv(reachVariable); target != "" {
		reach(target)
		os.Exit(0)
	}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, 0); errno == unix.ENOSYS {
		t.Skip("the kernel has no filters")
	}
	executable, err := os.Executable()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, executable, "-test.run=^TestConfinedProcessReachesNothing$")
	command.Env = []string{fmt.Sprintf("%s=%d %d %d %s", reachVariable, os.Getpid(), uintptr(unsafe.Pointer(&programSecret[0])), len(programSecret), file)}
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	assert.Greater(t, len(lines), 40, "%s", out)
	for _, line := range lines {
		name, outcome, _ := strings.Cut(line, ": ")
		if strings.HasPrefix(name, "own ") {
			assert.Equal(t, "0", outcome, line)
		} else {
			assert.Equal(t, unix.EPERM.Error(), outcome, line)
		}
	}
	assert.NotContains(t, string(out), string(programSecret))
	assert.Equal(t, "a secret of the program", string(programSecret))
	assert.FileExists(t, file)
}

// reach runs in the confined process, the tries in a thread that was there before.
func reach(target string) {
	var program, length int
	var address uintptr
	var file string
	if _, err := fmt.Sscan(target, &program, &address, &length, &file); err != nil {
		panic(err)
	}
	confined, done := make(chan bool), make(chan bool)
	for range 2 {
		go func() {
			runtime.LockOSThread()
			<-confined
			try(program, address, length, file)
			done <- true
		}()
	}
	if err := fetchscript.Confine(64 << 20); err != nil {
		panic(err)
	}
	close(confined)
	<-done
	<-done
}

func try(program int, address uintptr, length int, file string) {
	report := func(name string, call uintptr, args ...uintptr) {
		args = append(args, 0, 0, 0, 0, 0, 0)
		_, _, errno := syscall.Syscall6(call, args[0], args[1], args[2], args[3], args[4], args[5])
		outcome := errno.Error()
		if errno == 0 {
			outcome = "0"
		}
		fmt.Println(name + ": " + outcome)
	}
	pid, self := uintptr(program), uintptr(os.Getpid())
	buffer := make([]byte, length)
	local := unix.Iovec{Base: &buffer[0]}
	local.SetLen(length)
	remote := unix.RemoteIovec{Base: address, Len: length}
	path, err := unix.BytePtrFromString(file)
	if err != nil {
		panic(err)
	}
	name := uintptr(unsafe.Pointer(path))
	report("process_vm_readv", unix.SYS_PROCESS_VM_READV, pid, uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1)
	fmt.Printf("%s", strings.Trim(string(buffer), "\x00"))
	report("process_vm_writev", unix.SYS_PROCESS_VM_WRITEV, pid, uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1)
	report("ptrace", unix.SYS_PTRACE, unix.PTRACE_SEIZE, pid)
	report("kill", unix.SYS_KILL, pid)
	report("tkill", unix.SYS_TKILL, pid)
	report("tgkill", unix.SYS_TGKILL, pid, pid)
	report("rt_sigqueueinfo", unix.SYS_RT_SIGQUEUEINFO, pid)
	report("pidfd_open", unix.SYS_PIDFD_OPEN, pid)
	report("pidfd_getfd", unix.SYS_PIDFD_GETFD)
	report("pidfd_send_signal", unix.SYS_PIDFD_SEND_SIGNAL)
	report("process_madvise", unix.SYS_PROCESS_MADVISE)
	report("prlimit64", unix.SYS_PRLIMIT64, pid, unix.RLIMIT_CPU)
	report("setpriority", unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, pid, 19)
	report("sched_setaffinity", unix.SYS_SCHED_SETAFFINITY, pid)
	report("fcntl F_SETOWN", unix.SYS_FCNTL, 1, unix.F_SETOWN, pid)
	report("ioctl", unix.SYS_IOCTL, 1)
	report("openat", unix.SYS_OPENAT, ^uintptr(0), name)
	report("unlinkat", unix.SYS_UNLINKAT, ^uintptr(0), name)
	report("truncate", unix.SYS_TRUNCATE, name)
	report("execve", unix.SYS_EXECVE, name)
	report("execveat", unix.SYS_EXECVEAT, ^uintptr(0), name)
	report("clone", unix.SYS_CLONE, unix.CLONE_SIGHAND) // would be invalid
	report("socket", unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM)
	report("connect", unix.SYS_CONNECT)
	report("shmget", unix.SYS_SHMGET)
	report("io_uring_setup", unix.SYS_IO_URING_SETUP)
	report("bpf", unix.SYS_BPF)
	report("perf_event_open", unix.SYS_PERF_EVENT_OPEN)
	report("userfaultfd", unix.SYS_USERFAULTFD)
	report("memfd_create", unix.SYS_MEMFD_CREATE, name)
	report("seccomp", unix.SYS_SECCOMP, 99)
	if runtime.GOARCH == "amd64" {
		const x32, getpid = 0x40000000, 39
		report("x32", x32+getpid)
	}
	report("own tgkill", unix.SYS_TGKILL, self, uintptr(unix.Gettid()))
	report("own getrusage", unix.SYS_GETRUSAGE, 0, uintptr(unsafe.Pointer(new(unix.Rusage))))
}
