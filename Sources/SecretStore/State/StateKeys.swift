import OpenSSL

/// The keys of the tables, as bytes whose order is the order of the rows.
enum StateKeys {
    /// Longest name that is a key as it is. With an account and a sort order before it, a key stays below LMDB's 511 bytes.
    static let nameBytesMax = 480
    /// Marks a name that was cut and hashed: no byte of a name, and above all of them.
    private static let hashMark: UInt8 = 0xFF

    static func number(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { [UInt8]($0) } }

    /// Account, then the name, so that a walk over an account goes by name.
    static func secret(_ key: SecretKey) -> [UInt8] { number(key.account.rawValue) + name(key.name) }

    /// The bytes of a name; of one above ``nameBytesMax`` its beginning, a mark, and the hash of the whole. Names that agree in
    /// the first 447 bytes and are longer than 480 sort among themselves by hash.
    static func name(_ name: SecretName) -> [UInt8] {
        let bytes = [UInt8](name.rawValue.utf8)
        guard bytes.count > nameBytesMax else { return bytes }
        return bytes.prefix(nameBytesMax - Digest.byteCount - 1) + [hashMark] + SHA256.hash(bytes.span.bytes).bytes
    }

    static func deletion(date: Timestamp, secret number: UInt64) -> [UInt8] { time(date) + StateKeys.number(number) }

    /// Timestamps are never negative, so their bytes sort as they do.
    static func time(_ time: Timestamp) -> [UInt8] { number(UInt64(time.millisecondsSince1970)) }

    static func account(_ account: AccountID) -> [UInt8] { number(account.rawValue) }

    static func accessKey(_ id: String) -> [UInt8] { [UInt8](id.utf8) }

    /// The only row of the table `cluster`.
    static let cluster = [UInt8]("cluster".utf8)

    static func proposal(_ id: ProposalID) -> [UInt8] { number(id.high) + number(id.low) }

    /// Reads a number back; nil if these are not eight bytes.
    static func number(decoding bytes: RawSpan) -> UInt64? {
        bytes.withUnsafeBytes { $0.count == 8 ? UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)) : nil }
    }
}

/// What `ListSecrets` sorts by (`SortBy`). The raw value is part of the listing's keys.
package enum SecretOrder: UInt8, CaseIterable, Sendable {
    /// `created-date`, the default.
    case created = 1
    /// `last-changed-date`.
    case changed = 2
    /// `last-accessed-date`; secrets that were never read come first.
    case accessed = 3
    /// `name`, by bytes.
    case name = 4
}

/// A row of the listing: one per secret and sort order.
///
/// Key: account, sort order, then the date and the secret's number (which orders equal dates by creation), or the name.
/// Value: a byte of flags, then the secret's key.
enum ListKey {
    private static let isScheduledFlag: UInt8 = 1

    static func prefix(account: AccountID, order: SecretOrder) -> [UInt8] { StateKeys.account(account) + [order.rawValue] }

    static func key(_ record: SecretRecord, order: SecretOrder) -> [UInt8] {
        let prefix = prefix(account: record.account, order: order)
        switch order {
        case .created: return prefix + StateKeys.time(record.createdAt) + StateKeys.number(record.number)
        case .changed: return prefix + StateKeys.time(record.changedAt) + StateKeys.number(record.number)
        case .accessed:
            let time = record.lastAccessedDay?.start ?? Timestamp(millisecondsSince1970: 0)
            return prefix + StateKeys.time(time) + StateKeys.number(record.number)
        case .name: return prefix + StateKeys.name(record.name)
        }
    }

    static func value(_ record: SecretRecord) -> [UInt8] {
        [record.deletion == nil ? 0 : isScheduledFlag] + StateKeys.secret(record.key)
    }

    /// Whether the secret is scheduled for deletion, and its key; nil if these bytes are no such value.
    static func decode(value: RawSpan) -> (isScheduled: Bool, secret: [UInt8])? {
        value.withUnsafeBytes { bytes in
            guard let flags = bytes.first, flags & ~isScheduledFlag == 0 else { return nil }
            return (flags == isScheduledFlag, [UInt8](bytes.dropFirst()))
        }
    }
}
