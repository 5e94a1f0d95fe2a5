internal import Raft
internal import SecretStore

extension Applier.Entry {
    /// An entry of the replicated log, as the apply thread takes it.
    init(_ entry: Raft.Entry) {
        let content: Content =
            switch entry.body {
            case .noop: .noop
            case .command(let command): .sealed(command.payload)
            case .membership(let membership): .membership(membership.encoded)
            }
        self.init(index: entry.index.raw, term: entry.term.raw, content: content, byteCount: entry.byteCount)
    }
}
