internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
internal import OpenSSL

/// `conclave cluster ...`: what a running cluster is asked and told, through one of its nodes on this machine.
struct ClusterCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Look at the cluster and change its members.",
        subcommands: [Status.self, Members.self, Token.self, Add.self, Remove.self, Replace.self, TransferLeader.self])
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

struct RunningNode: ParsableArguments {
    @Option(help: "Directory of a node that runs on this machine.")
    var dataDir: String

    @Option(help: "Output: text or json.")
    var format = OutputFormat.text

    func ask(_ request: AdminRequest) throws -> SecretBytes { try AdminClient(directory: DataDirectory(path: dataDir)).ask(request) }

    func status() throws -> (status: ClusterStatus, json: SecretBytes) {
        let json = try ask(.status)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let bytes = json.withUnsafeBytes { Data($0) }
        guard var status = try? decoder.decode(ClusterStatus.self, from: bytes) else {
            throw SettingsError(description: "the running node speaks another version; run the same version of conclave")
        }
        status.nodes.sort { $0.id < $1.id }
        return (status, json)
    }

    /// Says that something is done.
    func done(_ sentence: String) { FileHandles.print(format == .json ? "{\"done\":true}\n" : sentence + "\n") }
}

extension ClusterCommands {
    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One line per node. Exit status 0: healthy, 1: serving with something amiss, 2: no majority.")
        @OptionGroup var node: RunningNode

        func run() async throws {
            let (status, json) = try node.status()
            if node.format == .json { FileHandles.print(json) } else { FileHandles.print(ClusterTable.text(status)) }
            switch status.health {
            case .healthy: return
            case .degraded: throw ExitCode(1)
            case .noQuorum: throw ExitCode(2)
            }
        }
    }

    struct Members: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The members' ids and addresses.")
        @OptionGroup var node: RunningNode

        func run() async throws {
            let (status, json) = try node.status()
            if node.format == .json { return FileHandles.print(json) }
            for row in status.nodes {
                FileHandles.print("\(row.id)  \(row.voter ? "voter  " : "learner")  peers \(row.peerAddress)  clients \(row.apiAddress)\n")
            }
        }
    }

    struct Token: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Tokens that let a node join.", subcommands: [Create.self])

        struct Create: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Make a token that lets one node join; it is shown once.",
                discussion: "Give it to the new node in the environment variable \(NodeJoin.tokenVariable) or in a file that only its owner can read.")
            @OptionGroup var node: RunningNode
            @Option(help: "How long it may be used: a number with s, m, h or d, up to 30d.")
            var validFor = "1h"

            func run() async throws {
                let answer = try node.ask(.createToken(validSeconds: try Duration.seconds(validFor)))
                if node.format == .json { return FileHandles.print(answer) }
                // {"token":"...",...}: what stands between the third and the fourth quotation mark.
                answer.withUnsafeBytes { bytes in
                    let parts = bytes.split(separator: UInt8(ascii: "\""), omittingEmptySubsequences: false)
                    if parts.count > 3 { FileHandles.print(SecretBytes(copying: UnsafeRawBufferPointer(rebasing: parts[3]))) }
                }
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say how to add a node.")
        @OptionGroup var node: RunningNode

        func run() async throws {
            let status = try node.status().status
            let members = status.nodes.filter { $0.role != "unreachable" }.map(\.peerAddress).joined(separator: ",")
            FileHandles.print(
                """
                On this machine:      \(NodeJoin.tokenVariable)=$(conclave cluster token create --data-dir '\(node.dataDir)')
                On the new machine, with that variable in the environment:
                                      conclave serve --data-dir DIRECTORY --listen HOST:PORT --peer-listen HOST:PORT --join \(members)

                """)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a node out of the cluster, for ever.", discussion: "A node that leads hands over first. It cannot come back under its old identity.")
        @OptionGroup var running: RunningNode
        @Option(name: .customLong("node"), help: "The id of the node.")
        var id: UInt64

        func run() async throws {
            _ = try running.ask(.removeNode(id))
            running.done("Node \(id) is removed.")
        }
    }

    struct Replace: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a node that has joined take the place of one that is lost.")
        @OptionGroup var running: RunningNode
        @Option(name: .customLong("node"), help: "The id of the lost node.")
        var id: UInt64
        @Option(name: .customLong("with"), help: "The id of the node that takes its place.")
        var successor: UInt64

        func run() async throws {
            let status = try running.status().status
            guard let row = status.nodes.first(where: { $0.id == successor }), row.state == "active" else {
                throw SettingsError(description: "node \(successor) does not belong to the cluster; let it join first (conclave cluster add)")
            }
            guard row.role != "unreachable" else { throw SettingsError(description: "node \(successor) does not answer; start it first") }
            _ = try running.ask(.removeNode(id))
            running.done("Node \(successor) has taken the place of node \(id).")
        }
    }

    struct TransferLeader: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "transfer-leader", abstract: "Let another node lead.")
        @OptionGroup var running: RunningNode
        @Option(name: .customLong("to"), help: "The id of the node that shall lead. (default: the one that has caught up best)")
        var target: UInt64?

        func run() async throws {
            _ = try running.ask(.transferLeadership(to: target))
            running.done("The leadership is handed over.")
        }
    }
}

/// A length of time on the command line.
enum Duration {
    static func seconds(_ text: String) throws(SettingsError) -> Int64 {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let number = Int64(text.dropLast()), (1...100_000_000).contains(number) else {
            throw SettingsError(description: "'\(text)' is not a length of time like 30m, 1h or 2d")
        }
        return number * unit
    }
}

/// Standard output and error, byte by byte: what is secret never becomes a `String`.
enum FileHandles {
    static func print(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }
    static func say(_ sentence: String) { write(Array((sentence + "\n").utf8), to: STDERR_FILENO) }

    /// With a line end.
    static func print(_ secret: SecretBytes) {
        secret.withUnsafeBytes { write($0, to: STDOUT_FILENO) }
        print("\n")
    }

    private static func write(_ bytes: [UInt8], to descriptor: CInt) { bytes.withUnsafeBytes { write($0, to: descriptor) } }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
