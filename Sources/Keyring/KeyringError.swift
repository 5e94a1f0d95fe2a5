/// What the keyring can refuse. No case holds key material or plaintext.
package enum KeyringError: Error, Equatable, CustomStringConvertible {
    /// A ciphertext that this keyring did not make for this place, or that was altered.
    case notAuthentic
    /// A ciphertext under a key that this keyring does not hold.
    case unknownKey(reference: String)
    /// The seal's key does not open this cluster's root key.
    case wrongSeal
    /// A key file that is missing, foreign or readable by others; the sentence says which and what to do.
    case file(String)

    package var description: String {
        switch self {
        case .notAuthentic: "the ciphertext does not belong here or was altered"
        case .unknownKey(let reference): "the keyring holds no key '\(reference)'"
        case .wrongSeal: "the seal key does not open this node's root key; start with the key file that this cluster was made with"
        case .file(let sentence): sentence
        }
    }
}
