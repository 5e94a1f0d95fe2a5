// swift-tools-version: 6.2
import PackageDescription

/// What every target of ours is built with: Swift 6 strictness, and no warning left standing.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// Targets that hand out spans over memory they own (`@_lifetime`).
let spans: [SwiftSetting] = strict + [.enableExperimentalFeature("Lifetimes")]

/// The consensus core's debug build can be told to make a mistake, for tests that must notice; the release build cannot.
let plantedFaults: [SwiftSetting] = strict + [.define("CONCLAVE_MUTANTS", .when(configuration: .debug))]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
    name: "conclave",
    products: [.executable(name: "conclave", targets: ["conclave"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // MARK: Floor 0: system libraries
        .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .target(name: "CChecksum"),
        .target(name: "CLMDB", linkerSettings: [.linkedLibrary("lmdb")]),

        // MARK: Floor 1
        .target(name: "Raft", swiftSettings: plantedFaults),
        // Speaks of the core's entries and writes, so it stands on it; nothing else on this floor does.
        .target(name: "WriteAheadLog", dependencies: ["Raft", "CChecksum"], swiftSettings: plantedFaults),
        .target(name: "Sessions", swiftSettings: plantedFaults),
        .target(name: "LMDB", dependencies: ["CLMDB"], swiftSettings: spans),
        .target(name: "OpenSSL", dependencies: ["COpenSSL", nioCore, nioTLS], swiftSettings: spans),

        // MARK: Floor 2
        .target(name: "Keyring", dependencies: ["OpenSSL"], swiftSettings: strict),
        .target(name: "Access", dependencies: ["OpenSSL"], swiftSettings: strict),
        .target(name: "PeerLinks", dependencies: ["Raft", "OpenSSL", nioCore, nioPosix, nioTLS, logging], swiftSettings: strict),

        // MARK: Floor 3
        .target(name: "SecretStore", dependencies: ["Raft", "LMDB", "Keyring", "OpenSSL", logging], swiftSettings: strict),

        // MARK: Floor 4
        .target(
            name: "ClusterIdentity", dependencies: ["PeerLinks", "SecretStore", "Keyring", "OpenSSL", "Raft", nioCore, nioPosix, nioTLS, logging],
            swiftSettings: strict),

        // MARK: Floor 4
        .target(
            name: "Node",
            dependencies: [
                "Raft", "WriteAheadLog", "SecretStore", "PeerLinks", "ClusterIdentity", "Keyring", "OpenSSL", "LMDB", nioCore, nioPosix, logging,
            ],
            swiftSettings: plantedFaults),

        // MARK: Floor 6
        .target(
            name: "Gateway",
            dependencies: ["SecretStore", "Access", "Keyring", "OpenSSL", nioCore, nioPosix, nioTLS, logging],
            swiftSettings: strict),

        // MARK: Floor 7: the executable
        .executableTarget(
            name: "conclave",
            dependencies: [
                "Gateway", "Node", "ClusterIdentity", "Raft", "SecretStore", "Access", "Keyring", "OpenSSL", nioCore, nioPosix, logging, "Yams",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // MARK: For tests: what breaks, and what notices
        .target(name: "SimulatedDisk", dependencies: ["WriteAheadLog"], swiftSettings: strict),
        .target(name: "Linearizability", swiftSettings: strict),
        .target(name: "Exploration", dependencies: ["Raft"], swiftSettings: plantedFaults),
        .target(
            name: "Simulation", dependencies: ["Raft", "WriteAheadLog", "Sessions", "SimulatedDisk", "Linearizability"],
            swiftSettings: plantedFaults),
        .executableTarget(
            name: "conclave-sim", dependencies: ["Simulation", "Raft", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: plantedFaults),

        .executableTarget(
            name: "conclave-check", dependencies: ["Linearizability", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: strict),

        .executableTarget(
            name: "conclave-bench",
            dependencies: ["Raft", "WriteAheadLog", "Sessions", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Benchmarks/Consensus", swiftSettings: strict),

        // MARK: Tests
        .testTarget(
            name: "RaftTests", dependencies: ["Raft"], exclude: ["Scenarios/Transcripts", "Scenarios/Coverage.md"], swiftSettings: plantedFaults),
        .testTarget(name: "WriteAheadLogTests", dependencies: ["WriteAheadLog", "SimulatedDisk", "Raft"], swiftSettings: plantedFaults),
        .testTarget(name: "SimulatedDiskTests", dependencies: ["SimulatedDisk", "WriteAheadLog"], swiftSettings: strict),
        .testTarget(name: "SessionsTests", dependencies: ["Sessions"], swiftSettings: plantedFaults),
        .testTarget(name: "LinearizabilityTests", dependencies: ["Linearizability"], swiftSettings: strict),
        .testTarget(name: "ConclaveCheckTests", dependencies: ["conclave-check"], swiftSettings: strict),
        .testTarget(name: "ExplorationTests", dependencies: ["Exploration", "Raft"], swiftSettings: plantedFaults),
        .testTarget(
            name: "SimulationTests", dependencies: ["Simulation", "Raft", "WriteAheadLog", "Sessions", "SimulatedDisk"], swiftSettings: plantedFaults),
        .testTarget(name: "LMDBTests", dependencies: ["LMDB"], swiftSettings: spans),
        .testTarget(name: "OpenSSLTests", dependencies: ["OpenSSL", nioCore, nioPosix, nioEmbedded, nioTLS], swiftSettings: spans),
        .testTarget(name: "KeyringTests", dependencies: ["Keyring", "OpenSSL"], swiftSettings: strict),
        .testTarget(name: "AccessTests", dependencies: ["Access", "OpenSSL"], swiftSettings: strict),
        .testTarget(
            name: "PeerLinksTests", dependencies: ["PeerLinks", "Raft", "OpenSSL", nioCore, nioPosix, nioTLS, logging], swiftSettings: strict),
        .testTarget(name: "SecretStoreTests", dependencies: ["SecretStore", "Raft", "LMDB", "Keyring", "OpenSSL", logging], swiftSettings: strict),
        .testTarget(
            name: "ClusterIdentityTests",
            dependencies: ["ClusterIdentity", "PeerLinks", "SecretStore", "LMDB", "Keyring", "OpenSSL", "Raft", nioCore, nioPosix, nioTLS, logging],
            swiftSettings: strict),
        .testTarget(
            name: "NodeTests",
            dependencies: ["Node", "Raft", "SecretStore", "LMDB", "Keyring", "OpenSSL", nioCore, nioPosix, logging], swiftSettings: plantedFaults),
        .testTarget(
            name: "GatewayTests",
            dependencies: ["Gateway", "SecretStore", "LMDB", "Access", "Keyring", "OpenSSL", nioCore, nioPosix, nioEmbedded, nioTLS, logging],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
