import BSSBackend
import BSSCore
import CBSSCUDA

/// Kernels that are compiled together: a file of `CUDA/C/kernels` for one element type, or one row of its table.
struct KernelProgram: Hashable {
    let family: String
    let dtype: DType
    /// Of bss_ops.h, where every row is a program of its own.
    let row: String?

    init(_ family: String, _ dtype: DType, row: String? = nil) {
        (self.family, self.dtype, self.row) = (family, dtype, row)
    }

    /// What is compiled; the emulator of the tests reads the same definitions.
    var text: String {
        """
        \(row.map { "#define ROW \($0)\n" } ?? "")#define T \(dtype.deviceName)
        #define OF(name) name##_\(dtype.name)
        #define WIDE \(dtype.isFloat ? "double" : "int64_t")
        #define WIDE_LEAST \(dtype.isFloat ? "-INFINITY" : "INT64_MIN")
        #define WIDE_MOST \(dtype.isFloat ? "INFINITY" : "INT64_MAX")
        #include "\(family).cu.h"

        """
    }

    /// No contraction into FMA where the CPU rounds in between: random numbers are its numbers bit for bit, and clipped
    /// gradients those that were scaled first.
    var options: [String] { ["random", "optimizer"].contains(family) ? ["--fmad=false"] : [] }
}

/// A kernel by its name in the sources.
struct Kernel: Hashable {
    let name: String
    let program: KernelProgram

    init(_ name: String, _ family: String, _ dtype: DType, row: String? = nil) {
        self.name = name
        program = KernelProgram(family, dtype, row: row)
    }

    /// As the driver knows it: `softmax_f32`.
    var symbol: String { "\(name)_\(program.dtype.name)" }
}

extension DType {
    fileprivate var deviceName: String {
        switch self {
        case .float32: return "float"
        case .float64: return "double"
        case .int64: return "int64_t"
        case .bool: return "uint8_t"
        case .float16: return "bss_f16"
        case .bfloat16: return "bss_bf16"
        }
    }
}
