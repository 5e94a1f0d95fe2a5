internal import ArgumentParser
internal import Glibc
internal import OpenSSL

/// The program: `conclave serve` runs a node, `conclave operator ...` sets one up.
@main
struct Conclave: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "conclave",
        abstract: "A secrets manager that you run yourself and that speaks the AWS Secrets Manager API.",
        version: version,
        subcommands: [Serve.self, ClusterCommands.self, Operator.self])

    static func main() async {
        // Before the first key is read, and before anything else can have opened a file.
        ProcessHardening.apply()
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            exit(withError: error)
        }
    }
}

/// Commands for the people who run a cluster.
struct Operator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator", abstract: "Set up and look after a node.", subcommands: [OperatorInit.self])
}
