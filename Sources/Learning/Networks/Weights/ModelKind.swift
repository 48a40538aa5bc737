import BSSCore

extension WeightFile {
    /// Makes sure that the file is of the network that is to be filled: many share BERT's keys and compute something
    /// else.
    ///
    /// `kinds`: values of `model_type` in `config.json`; `classes`: how the names in `architectures` begin where that
    /// is not said.
    /// - Throws: kind `.data`, naming what the file is.
    func expect(_ network: String, kinds: [String], classes: String, operation: String) throws {
        func refusal(_ what: String) -> BSSError {
            BSSError(
                operation,
                "\(path) holds no \(network): it is \(what), which computes something else, if with weights of the "
                    + "same names",
                kind: .data)
        }
        if let kind = configuration?["model_type"]?.string {
            guard kinds.contains(kind) else { throw refusal("of model_type \"\(kind)\"") }
        } else if let name = configuration?["architectures"]?.table?.items.first?.string {
            guard name.hasPrefix(classes) else { throw refusal("a \(name)") }
        }
    }

    /// What a file without a configuration does not say.
    func missing(_ what: String, operation: String) -> BSSError {
        BSSError(
            operation, "\(path) does not say \(what), and shapes do not tell",
            hint: "put its config.json beside it, or give \(what)", kind: .data)
    }
}
