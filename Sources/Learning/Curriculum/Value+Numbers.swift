import BSSCore

extension Value {
    /// The numbers of a list or tensor in one axis; nil of anything else.
    var numbers: [Double]? {
        // What is no vector has none.
        (try? Vector(value: self))?.values
    }
}
