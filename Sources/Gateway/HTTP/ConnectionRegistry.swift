internal import NIOCore
internal import Synchronization

/// The open connections of a server: how many there may be, and which ones to close at its end. Safe from any thread.
final class ConnectionRegistry: Sendable {
    /// How many connections there may be. Beyond, a new one is closed at once.
    struct Limits: Sendable {
        var connectionsMax: Int
        var handshakesMax: Int
        var connectionsPerAddressMax: Int?
    }

    /// Names one connection.
    typealias Number = UInt64

    private struct Connection {
        let channel: any Channel
        let address: String?
        var isHandshaking: Bool
    }

    private struct State {
        var connections: [Number: Connection] = [:]
        var handshakeCount = 0
        var countPerAddress: [String: Int] = [:]
        var nextNumber: Number = 0
        var isStopping = false
        var whenEmpty: EventLoopPromise<Void>?
    }

    private let limits: Limits
    private let state = Mutex(State())

    init(limits: Limits) { self.limits = limits }

    /// Counts a connection in, if there is room for it.
    ///
    /// - Parameter address: Of the peer, without the port; what the limit per address goes by.
    /// - Returns: Nil when there is no room; the caller closes the channel then.
    func admit(_ channel: any Channel, address: String?, isHandshaking: Bool) -> Number? {
        state.withLock { state in
            guard !state.isStopping, state.connections.count < limits.connectionsMax else { return nil }
            guard !isHandshaking || state.handshakeCount < limits.handshakesMax else { return nil }
            if let limit = limits.connectionsPerAddressMax, let address, state.countPerAddress[address, default: 0] >= limit { return nil }
            let number = state.nextNumber
            state.nextNumber += 1
            let counted = limits.connectionsPerAddressMax == nil ? nil : address
            state.connections[number] = Connection(channel: channel, address: counted, isHandshaking: isHandshaking)
            if isHandshaking { state.handshakeCount += 1 }
            if let counted { state.countPerAddress[counted, default: 0] += 1 }
            return number
        }
    }

    /// Notes that a connection's handshake is over.
    func handshakeCompleted(_ number: Number) {
        state.withLock { state in
            guard state.connections[number]?.isHandshaking == true else { return }
            state.connections[number]?.isHandshaking = false
            state.handshakeCount -= 1
        }
    }

    /// Counts a closed connection out.
    func remove(_ number: Number) {
        let whenEmpty = state.withLock { state -> EventLoopPromise<Void>? in
            guard let connection = state.connections.removeValue(forKey: number) else { return nil }
            if connection.isHandshaking { state.handshakeCount -= 1 }
            if let address = connection.address {
                let count = state.countPerAddress[address, default: 1] - 1
                state.countPerAddress[address] = count == 0 ? nil : count
            }
            return state.connections.isEmpty ? state.whenEmpty.take() : nil
        }
        whenEmpty?.succeed()
    }

    var connectionCount: Int { state.withLock { $0.connections.count } }
    var handshakeCount: Int { state.withLock { $0.handshakeCount } }

    /// Admits nobody from now on.
    ///
    /// - Parameter whenEmpty: Kept when the last connection is gone.
    /// - Returns: The connections that are open.
    func stop(whenEmpty: EventLoopPromise<Void>) -> [any Channel] {
        let channels = state.withLock { state -> [any Channel] in
            state.isStopping = true
            if !state.connections.isEmpty { state.whenEmpty = whenEmpty }
            return state.connections.values.map(\.channel)
        }
        if channels.isEmpty { whenEmpty.succeed() }
        return channels
    }

    /// The connections that are open.
    var channels: [any Channel] { state.withLock { $0.connections.values.map(\.channel) } }
}
