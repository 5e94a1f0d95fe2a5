internal import Glibc

/// Small text files that are not secret.
enum TextFile {
    /// Largest file read, in bytes.
    private static let byteCountMax = 1 << 20

    /// - Throws: ``SettingsError`` with the path and the reason.
    static func read(_ path: String) throws(SettingsError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot open", path) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while content.count <= byteCountMax {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("cannot read", path) }
            if count == 0 {
                guard let text = String(validating: content, as: UTF8.self) else { throw SettingsError(description: "'\(path)' is not UTF-8 text") }
                return text
            }
            content += chunk.prefix(count)
        }
        throw SettingsError(description: "'\(path)' is larger than \(byteCountMax) bytes")
    }

    /// Replaces a file in one step; readers see the old content or the new. Not made durable.
    static func write(_ text: String, to path: String) throws(SettingsError) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure("cannot create", temporary) }
        let bytes = Array(text.utf8)
        let isWritten = Glibc.write(descriptor, bytes, bytes.count) == bytes.count
        close(descriptor)
        guard isWritten, rename(temporary, path) == 0 else { throw failure("cannot write", path) }
    }

    private static func failure(_ what: String, _ path: String) -> SettingsError {
        SettingsError(description: "\(what) '\(path)': \(String(cString: strerror(errno)))")
    }
}
