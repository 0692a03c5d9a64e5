//go:build linux && (amd64 || arm64)

package fetchscript

// This file owns which system calls are left to a child. Its user is that of
// the program: without this it could read the program's memory, signal it, and
// change its files.

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// allowed are the calls that Go's runtime makes, and the C library's of a
// program that is built with cgo, as far as they reach nothing but the process
// itself and what it has open: the pipes.
var allowed = []uint32{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_PREAD64, unix.SYS_CLOSE, unix.SYS_FSTAT,
	unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MPROTECT, unix.SYS_MREMAP, unix.SYS_MADVISE, unix.SYS_MINCORE, unix.SYS_BRK,
	unix.SYS_FUTEX, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_MEMBARRIER, unix.SYS_RSEQ, unix.SYS_SET_ROBUST_LIST, unix.SYS_SET_TID_ADDRESS,
	unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY,
	unix.SYS_SETITIMER, unix.SYS_TIMER_CREATE, unix.SYS_TIMER_SETTIME, unix.SYS_TIMER_DELETE,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2, unix.SYS_PIPE2, unix.SYS_PPOLL,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL,
	unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_GETUID, unix.SYS_GETEUID, unix.SYS_GETGID, unix.SYS_GETEGID,
	unix.SYS_GETRUSAGE, unix.SYS_GETRANDOM, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
}

// A condition allows a call for some values of an argument: the low half of it,
// which is all that the kernel looks at in these.
type condition struct {
	call, argument uint32
	test           uint16 // BPF_JEQ or BPF_JSET
	values         []uint32
}

// conditions of the calls that could reach another process, were it not for an argument.
func conditions() []condition {
	return []condition{
		{unix.SYS_TGKILL, 0, unix.BPF_JEQ, []uint32{uint32(os.Getpid())}}, // the runtime interrupts its own threads so
		{unix.SYS_CLONE, 0, unix.BPF_JSET, []uint32{unix.CLONE_THREAD}},
		{unix.SYS_PRLIMIT64, 0, unix.BPF_JEQ, []uint32{0}},
		{unix.SYS_PRCTL, 0, unix.BPF_JEQ, []uint32{unix.PR_SET_VMA, unix.PR_SET_NAME}},
		// Not F_SETOWN: it has a pipe send signals to any process.
		{unix.SYS_FCNTL, 1, unix.BPF_JEQ, []uint32{unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL}},
	}
}

// Where the members of struct seccomp_data are: see seccomp(2).
const (
	dataCall      = 0
	dataArch      = 4
	dataArguments = 16
)

func statement(code uint16, k uint32) unix.SockFilter { return unix.SockFilter{Code: code, K: k} }

func jump(test uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, Jt: yes, Jf: no, K: k}
}

// systemCallFilter gives the program that the kernel asks about each call. What
// it does not know fails as forbidden: the runtime goes on without what a later
// version of it may try, where to be killed would be an outage.
func systemCallFilter() []unix.SockFilter {
	const load, give = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_RET | unix.BPF_K
	allow, refuse := statement(give, unix.SECCOMP_RET_ALLOW), statement(give, unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM))
	program := []unix.SockFilter{
		statement(load, dataArch),
		jump(unix.BPF_JEQ, auditArch, 1, 0), // the numbers below mean other calls to other architectures
		statement(give, unix.SECCOMP_RET_KILL_PROCESS),
		statement(load, dataCall), // those of x32 have a bit of their own, and so are none of ours
	}
	for _, call := range slices.Concat(allowed, allowedHere) {
		program = append(program, jump(unix.BPF_JEQ, call, 0, 1), allow)
	}
	for _, c := range conditions() {
		program = append(program, jump(unix.BPF_JEQ, c.call, 0, uint8(2*len(c.values)+2)), statement(load, dataArguments+8*c.argument))
		for _, value := range c.values {
			program = append(program, jump(c.test, value, 0, 1), allow)
		}
		program = append(program, refuse)
	}
	// Its flags lie in memory, where no filter can see them. C libraries go on
	// with clone where the kernel does not know it, and only then.
	program = append(program, jump(unix.BPF_JEQ, unix.SYS_CLONE3, 0, 1), statement(give, unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS)))
	return append(program, refuse)
}

// filterSystemCalls leaves this process, with all its threads, the calls that it
// needs. A kernel that was built without filters leaves it all.
func filterSystemCalls() error {
	runtime.LockOSThread() // what allows the one call belongs to the thread
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	filter := systemCallFilter()
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(filter)
	switch {
	case errors.Is(errno, unix.ENOSYS) || errors.Is(errno, unix.EINVAL):
		return nil
	case errno != 0:
		return fmt.Errorf("seccomp: %w", errno)
	case thread != 0:
		return fmt.Errorf("seccomp: thread %d has a filter of its own", thread)
	}
	return nil
}
