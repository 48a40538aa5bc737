import BSSCore

/// The options `pretrained`, `prefix` and `strict`, which any encoder part can include, and what they ask for.
///
/// ```swift
/// Part("resnet18", "…", [channels] + Pretrained.arguments) { a in
///     let pretrained = Pretrained(a)
///     return EncoderRecipe { modality, shape in try ResNet(…).starting(from: pretrained) }
/// }
/// // and in the encoder, unless its parameters have the names of the file
/// override func load(from file: WeightFile, strict: Bool) throws -> LoadReport { try load(file, .i3d, strict: strict)
/// }
/// ```
public struct Pretrained {
    public let path: String
    public let strict: Bool
    let prefix: String?

    private static let pathOption = Argument<String?>(
        "pretrained", default: nil,
        "weights to start from: a .safetensors, .pt or .pth file or a Hugging Face folder; a relative path is looked "
            + "up from the script and on the data path"
    )
    private static let strictOption = Argument(
        "strict", default: true,
        "whether a key of pretrained that is missing, unexpected or of another shape is an error; else what fits is "
            + "loaded"
    )
    private static let prefixOption = Argument<String?>(
        "prefix", default: nil,
        "what the keys of this network begin with in the file, such as \"encoder_q.\"; DataParallel's module. may "
            + "stand before it"
    )
    public static let arguments: [any AnyArgument] = [pathOption, strictOption, prefixOption]

    /// Nil if the options name no file.
    public init?(_ arguments: Arguments) {
        guard let path = arguments[Pretrained.pathOption] else { return nil }
        self.path = path
        strict = arguments[Pretrained.strictOption]
        prefix = arguments[Pretrained.prefixOption]
    }

    public func open(_ operation: String) throws -> WeightFile {
        try WeightFile.open(try SearchPath.find(path, operation: operation), prefix: prefix)
    }
}

extension Encoder {
    /// This encoder, to be filled from a file once its initial weights are drawn. `file`: the opened one, where its
    /// sizes were read.
    public func starting(from pretrained: Pretrained?, file: WeightFile? = nil) -> Self {
        guard let pretrained else { return self }
        start = { encoder in try encoder.load(from: file ?? pretrained.open("pretrained"), strict: pretrained.strict) }
        return self
    }
}
