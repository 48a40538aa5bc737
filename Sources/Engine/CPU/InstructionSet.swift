import CBSSKernels

extension CPUBackend {
    /// What decides the bits of a sum beside its order: the level that kernels run at, and the BLAS library. Two
    /// processes with one build and one of these give the same bits.
    public static var instructionSet: String { "\(String(cString: bss_isa())), \(String(cString: bss_blas_name()))" }
}
