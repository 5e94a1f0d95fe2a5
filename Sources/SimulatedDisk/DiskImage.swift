/// All files of a disk at one moment, ascending by name.
package struct DiskImage: Hashable, Sendable {
    package struct File: Hashable, Sendable {
        package let name: String
        package let bytes: [UInt8]

        package init(name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    package let files: [File]

    package init(files: [File]) { self.files = files }

    /// The contents of a file, nil when there is none of this name.
    package func bytes(of name: String) -> [UInt8]? { files.first { $0.name == name }?.bytes }
}
