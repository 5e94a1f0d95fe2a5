internal import FoundationEssentials
internal import Glibc
internal import OpenSSL

/// Asks the running node of a data directory.
struct AdminClient {
    let directory: DataDirectory

    /// - Returns: The body of the answer.
    /// - Throws: ``SettingsError`` if no node runs there, or with what the node says.
    func ask(_ request: AdminRequest) throws -> SecretBytes {
        let socket = try connected()
        defer { close(socket) }
        var line = [UInt8](try JSONEncoder().encode(request))
        line.append(UInt8(ascii: "\n"))
        guard send(socket, line, line.count, CInt(MSG_NOSIGNAL)) == line.count else { throw failure("cannot ask the node") }
        var answer: [UInt8] = []
        defer { answer.withUnsafeMutableBytes { wipe($0) } }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        defer { chunk.withUnsafeMutableBytes { wipe($0) } }
        while true {
            let count = recv(socket, &chunk, chunk.count, 0)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("cannot hear the node") }
            if count == 0 { break }
            answer += chunk.prefix(count)
        }
        guard let end = answer.firstIndex(of: UInt8(ascii: "\n")),
            let result = try? JSONDecoder().decode(AdminResult.self, from: Data(answer[..<end]))
        else { throw SettingsError(description: "the node ended before it answered; look at its log") }
        if let error = result.error { throw SettingsError(description: error) }
        let body = Array(answer[(end + 1)...])
        return SecretBytes(copying: body.span.bytes)
    }

    private func connected() throws -> CInt {
        let directory = try SocketDirectory(of: directory.adminSocket)
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("cannot make a socket") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(directory.shortPath.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard status == 0 else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw SettingsError(description: "no node runs in '\(self.directory.path)' (\(reason)); start it with: conclave serve --data-dir '\(self.directory.path)'")
        }
        return descriptor
    }

    private func failure(_ what: String) -> SettingsError { SettingsError(description: "\(what): \(String(cString: strerror(errno)))") }
}
