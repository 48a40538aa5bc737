import BSSCore

/// One perspective on a sample: a value per sample and the direction in which it means "balanced".
public struct Criterion: Family {
    /// What the scan must collect beyond logits and labels.
    public enum Need: Hashable { case fused, features, gradientNorms }

    public let name: String
    /// The key of its values in result tables: `similarity`, `loss`, …
    public let label: String
    /// +1: high values are balanced (similarities); -1: low values are (losses).
    public let direction: Double
    /// Factor of its normalised value in the score.
    public let weight: Double
    public let needs: Set<Need>
    public let values: (Evidence) throws -> [Double]

    public init(
        name: String, label: String, direction: Double, weight: Double, needs: Set<Need> = [],
        values: @escaping (Evidence) throws -> [Double]
    ) {
        self.name = name
        self.label = label
        self.direction = direction
        self.weight = weight
        self.needs = needs
        self.values = values
    }

    public static let familyName = "criterion"
    public static let noun = "criterion"
    public static let help =
        "One perspective on how balanced or easy a sample is; a measurer combines several into the balance score."

    public static let methods: [Function] = [
        Function(
            "values", "The criterion's value for every sample, in its own unit.", MeasurerInput.arguments,
            returns: "list of numbers",
            example:
                "bss.criterion.loss{}:values{ logits = { a = {{2, 0}}, b = {{1, 0}} }, fused = {{3, 0}}, labels = {1} }"
        ) { arguments in
            let criterion = try arguments.part(Criterion.self)
            return [.list(try criterion.values(MeasurerInput.evidence(arguments)))]
        }
    ]
}
