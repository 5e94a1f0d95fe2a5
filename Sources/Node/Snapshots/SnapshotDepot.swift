internal import Logging
internal import Raft
internal import SecretStore

/// The snapshot images of a node: those that it made for others, and the one that it fetches.
///
/// A thread of its own reads and writes the files; what comes of it goes back as inputs for the core and messages for peers. Safe from any
/// thread, and used from the driver's.
final class SnapshotDepot: Sendable {
    /// What the thread has to say.
    enum News: Sendable {
        case input(Input)
        case message(Message)
    }

    private let directory: String
    private let queue: WorkQueue<SnapshotAction>
    private let thread: WorkerThread

    /// - Parameters:
    ///   - directory: It exists. Images of earlier lives in it are removed.
    ///   - membership: In force before the first entry that changes it.
    ///   - report: Called on the thread; must not block.
    init(
        directory: String, store: SecretStore, id: NodeID, founding: Membership, logger: Logger, report: @escaping @Sendable (News) -> Void
    ) {
        self.directory = directory
        let queue = WorkQueue<SnapshotAction>(countMax: .max, byteCountMax: .max)
        self.queue = queue
        thread = WorkerThread {
            var desk = SnapshotDesk(directory: directory, store: store, id: id, founding: founding, logger: logger, report: report)
            desk.clean()
            while true {
                let (actions, isClosed) = queue.takeAll()
                for action in actions { desk.perform(action) }
                if isClosed { return }
            }
        }
    }

    /// Everything but ``SnapshotAction/install(_:after:)``, which is the apply thread's. After ``close()`` nothing.
    func perform(_ action: SnapshotAction) { try? queue.add(action) }

    /// Where the complete image lies that is to be installed.
    func stagedPath(of image: SnapshotImage) -> String { Self.stagedPath(of: image, in: directory) }

    static func stagedPath(of image: SnapshotImage, in directory: String) -> String { "\(directory)/\(name(of: image)).staged" }
    static func madePath(of image: SnapshotImage, in directory: String) -> String { "\(directory)/\(name(of: image)).image" }

    private static func name(of image: SnapshotImage) -> String { "\(image.last.term)-\(image.last.index)-\(image.fingerprint)" }

    /// Ends the thread, and what it was asked before.
    func close() {
        queue.close()
        thread.join()
    }
}
