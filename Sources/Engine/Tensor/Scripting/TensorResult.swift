import BSSCore

extension Tensor {
    /// Element type, shape and every bit.
    public func identityData() throws -> Value {
        try Autograd.withoutRecording {
            let values = try contiguous()
            var bytes = [UInt8](repeating: 0, count: values.elementCount * values.dtype.byteSize)
            try bytes.withUnsafeMutableBytes { try values.backend.download(values.view, to: $0) }
            return .string("\(dtype.name) \(shape) \(try SHA256.hex(bytes, operation: "identity"))")
        }
    }

    /// dtype, shape, and the values; of more than 64 values their SHA-256 (row-major, little-endian) and statistics.
    public func resultData() throws -> Value? {
        try Autograd.withoutRecording {
            var fields: [(String, Value)] = [
                ("dtype", .string(dtype.name)), ("shape", .list(shape.array.map(Value.int))),
            ]
            if elementCount <= 64 {
                fields.append(("values", .list(try numbers())))
            } else {
                let source = try contiguous()
                var bytes = [UInt8](repeating: 0, count: elementCount * dtype.byteSize)
                try bytes.withUnsafeMutableBytes { try backend.download(source.view, to: $0) }
                fields += [
                    ("sha256", .string(try SHA256.hex(bytes, operation: "result"))),
                    ("statistics", .table(try ResultDigest.statistics(values(Double.self)))),
                ]
            }
            return .fields(fields)
        }
    }

    private func numbers() throws -> [Value] {
        switch dtype {
        case .bool: return try values(Bool.self).map(Value.bool)
        case .int64: return try values(Int.self).map(Value.int)
        // The shortest decimal of the float.
        case .float32: return try values(Float.self).map { Value.number(Double("\($0)") ?? Double($0)) }
        default: return try values(Double.self).map(Value.number)
        }
    }
}
