internal import COpenSSL
internal import Glibc

/// What a process that holds keys does before it reads the first one.
package enum ProcessHardening {
    /// Switches core dumps and tracing by the same user off, and makes files private to their owner.
    ///
    /// Also takes fatal signals back from the Swift runtime's crash handler. Call it once, first thing, from the main thread. `PR_SET_DUMPABLE` also holds where a core pattern is a pipe, which
    /// ignores the limit; the limit also holds where a debugger switches the former on again.
    package static func apply() {
        _ = shim_forbid_core_dumps()
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        _ = umask(0o077)
        // The Swift runtime's crash handler prints the memory near registers, and hangs where it may not trace. A crash shall end
        // the process, no more; its place in the code is found with the system's own tools.
        for fatal in [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGBUS, SIGSEGV] { _ = signal(fatal, SIG_DFL) }
    }
}
