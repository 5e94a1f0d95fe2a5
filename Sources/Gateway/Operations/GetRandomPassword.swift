internal import OpenSSL

/// GetRandomPassword (behaviour 3.17). Touches no secret.
enum GetRandomPassword: Operation {
    static let name = "GetRandomPassword"

    /// The service's default, in characters.
    static let lengthDefault: Int64 = 32

    struct Input: InputStructure {
        let length: Int64
        let excludedCharacters: String
        let excludesNumbers: Bool
        let excludesPunctuation: Bool
        let excludesUppercase: Bool
        let excludesLowercase: Bool
        let includesSpace: Bool
        let requiresEachIncludedType: Bool

        init(reading members: inout Members) {
            length = members.optional("PasswordLength", Shapes.passwordLength) ?? lengthDefault
            excludedCharacters = members.optional("ExcludeCharacters", Shapes.excludeCharacters) ?? ""
            excludesNumbers = members.flag("ExcludeNumbers")
            excludesPunctuation = members.flag("ExcludePunctuation")
            excludesUppercase = members.flag("ExcludeUppercase")
            excludesLowercase = members.flag("ExcludeLowercase")
            includesSpace = members.flag("IncludeSpace")
            requiresEachIncludedType = members.flag("RequireEachIncludedType", default: true)
        }

        func includes(_ characters: RandomPasswordRecipe.Class) -> Bool {
            switch characters {
            case .lowercase: !excludesLowercase
            case .uppercase: !excludesUppercase
            case .numbers: !excludesNumbers
            case .punctuation: !excludesPunctuation
            }
        }
    }

    struct Output: OutputStructure {
        let password: SecretBytes

        func write(to json: inout JSONWriter) { json.member("RandomPassword", secretText: password) }
    }

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<Output> {
        let recipe = try RandomPasswordRecipe(
            length: Int(input.length), classes: RandomPasswordRecipe.Class.allCases.filter(input.includes),
            includesSpace: input.includesSpace, excluding: input.excludedCharacters, requiresEachClass: input.requiresEachIncludedType)
        var generator = BatchedRandom()
        return .now(Output(password: recipe.password(using: &generator)))
    }
}
