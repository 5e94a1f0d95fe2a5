import LMDB
import Testing

/// Misuse that the compiler cannot refuse ends the process, rather than block it forever or break the file.
struct TrapTests {
    @Test(.timeLimit(.minutes(1))) func `a write inside a write of the same thread traps`() async throws {
        try await withDirectory { path in
            await #expect(processExitsWith: .failure) { [path = path as String] in
                mustTrap {
                    let environment = try Environment(at: path)
                    try environment.write { _ in try environment.write { _ in } }
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `a write inside a read of the same thread traps`() async throws {
        try await withDirectory { path in
            await #expect(processExitsWith: .failure) { [path = path as String] in
                mustTrap {
                    let environment = try Environment(at: path)
                    try environment.read { _ in try environment.write { _ in } }
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `growing the map inside a transaction of the same thread traps`() async throws {
        try await withDirectory { path in
            await #expect(processExitsWith: .failure) { [path = path as String] in
                mustTrap {
                    let environment = try Environment(at: path)
                    try environment.read { _ in try environment.growMap(toAtLeast: 1 << 30) }
                }
            }
            await #expect(processExitsWith: .failure) { [path = path as String] in
                mustTrap {
                    let environment = try Environment(at: path)
                    try environment.write { _ in try environment.growMap(toAtLeast: 1 << 30) }
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `a copy inside a write of the same thread traps`() async throws {
        try await withDirectory { path in
            await #expect(processExitsWith: .failure) { [path = path as String] in
                mustTrap {
                    let environment = try Environment(at: path)
                    try environment.write { _ in try environment.copy(to: path + "/copy", compacting: false) }
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `a write transaction that ends on another thread traps`() async throws {
        try await withDirectory { path in
            await #expect(processExitsWith: .failure) { [path = path as String] in
                mustTrap {
                    let environment = try Environment(at: path)
                    // Only unsafe code can carry the transaction over.
                    let box = UnsafeMutablePointer<WriteTransaction>.allocate(capacity: 1)
                    box.initialize(to: try environment.beginWrite())
                    let address = UInt(bitPattern: box)
                    try Worker {
                        // The address of the box above.
                        try UnsafeMutablePointer<WriteTransaction>(bitPattern: address)!.move().commit()
                    }.value()
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `a table in a transaction of another environment traps`() async throws {
        try await withDirectory { path in
            await #expect(processExitsWith: .failure) { [path = path as String] in
                mustTrap {
                    let (one, other) = (try Environment(at: path), try Environment(at: path + "/other"))
                    let table = try one.openRawTable("t")
                    _ = try other.openRawTable("t")
                    _ = try other.read { txn in try table.get([1], in: txn) }
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `the check for traps itself notices a body that ends well`() async throws {
        try await withDirectory { path in
            await #expect(processExitsWith: .success) { [path = path as String] in
                mustTrap { try Environment(at: path).write { _ in } }
            }
        }
    }
}
