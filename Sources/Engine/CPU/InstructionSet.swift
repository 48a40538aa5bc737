import BSSCore
import CBSSKernels

extension CPUBackend {
    /// What decides the bits of a sum beside its order: the level that kernels run at, and the BLAS library. Two
    /// processes with one build and one of these give the same bits.
    public static var instructionSet: String { "\(String(cString: bss_isa())), \(String(cString: bss_blas_name()))" }

    /// - Throws: if BSS_ISA or BSS_BLAS asks for what this machine does not have.
    public static func checkEnvironment() throws {
        guard let mistake = bss_environment_mistake() else { return }
        throw BSSError("environment", String(cString: mistake), hint: "BSS_ISA=v4|v3|base, BSS_BLAS=auto|own|openblas")
    }
}
