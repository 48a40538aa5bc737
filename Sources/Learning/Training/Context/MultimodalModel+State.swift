import BSSCore
import BSSNetworks
import BSSTensor

extension MultimodalModel {
    /// SHA-256 over names, shapes and bytes of parameters and buffers, in order.
    public func parametersHash() throws -> String {
        var hash = SHA256()
        for (name, tensor) in stateTensors() {
            hash.update("\(name) \(tensor.shape) \(tensor.dtype.name)\n")
            let values = try tensor.detached.contiguous()
            var bytes = [UInt8](repeating: 0, count: values.elementCount * values.dtype.byteSize)
            try bytes.withUnsafeMutableBytes { try values.backend.download(values.view, to: $0) }
            bytes.withUnsafeBytes { hash.update($0) }
        }
        return hash.finish()
    }

    /// Parameters and buffers by checkpoint name.
    public func stateTensors() -> [(name: String, tensor: Tensor)] {
        parameters().map { ($0.name, $0.parameter.value) } + buffers().map { ($0.name, $0.buffer.value) }
    }

    /// - Throws: a tensor that is missing or has another shape.
    public func restore(_ tensors: [String: Tensor], prefix: String = "", source: String) throws {
        func find(_ name: String) throws -> Tensor {
            guard let found = tensors[prefix + name] else {
                throw BSSError("restore", "\(source) has no tensor '\(prefix + name)'", kind: .data)
            }
            return found
        }
        for (name, parameter) in parameters() { try parameter.assign(try find(name)) }
        for (name, buffer) in buffers() { try buffer.assign(try find(name)) }
    }
}
