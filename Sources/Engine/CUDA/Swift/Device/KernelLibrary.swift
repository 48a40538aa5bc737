import BSSBackend
import BSSCore
import CBSSCUDA

/// The kernels of one card: compiled by NVRTC when they are first used, kept as cubins between processes; without
/// NVRTC, PTX that came with the program (scripts/bundle), which the driver compiles.
final class KernelLibrary {
    private enum Maker {
        case compiler(version: String)
        case texts(folder: String)
    }

    private let card: GraphicsCard
    private let maker: Maker
    private var modules: [KernelProgram: CUmodule] = [:]
    private var functions: [Kernel: CUfunction] = [:]
    private typealias Text = (name: UnsafePointer<CChar>, text: UnsafePointer<CChar>)
    nonisolated(unsafe) private static let texts: [Text] = {  // constants of the program
        var (texts, at) = ([Text](), bss_kernel_texts)
        while at.pointee.name.pointee != 0 {
            texts.append((at.pointee.name, at.pointee.text))
            at += 1
        }
        return texts
    }()
    /// Of all kernels' sources.
    static let textHash: String = {
        var hash = SHA256()
        for (name, text) in texts { hash.update("\(String(cString: name))\n\(String(cString: text))\n") }
        return hash.finish()
    }()

    /// - Throws: kind `.device` if neither NVRTC nor PTX of these kernels is there.
    init(_ card: GraphicsCard) throws {
        self.card = card
        do {
            _ = try NVIDIALibrary.compiler.open(driverMajor: card.driverVersion / 1000)
            var (major, minor): (Int32, Int32) = (0, 0)
            try KernelLibrary.check(bss_nvrtc_version(&major, &minor), "NVRTC")
            maker = .compiler(version: "\(major).\(minor)")
        } catch {
            guard let folder = KernelLibrary.textFolder, KernelLibrary.hash(in: folder) == KernelLibrary.textHash
            else { throw error }
            maker = .texts(folder: folder)
        }
    }

    /// "NVRTC 12.9"
    var summary: String {
        switch maker {
        case .compiler(let version): return "NVRTC \(version)"
        case .texts: return "PTX of the bundle"
        }
    }

    /// `BSS_CUDA_PTX`, else `share/bss-lua/ptx` beside the program's folder.
    private static var textFolder: String? {
        if let named = Environment.text("BSS_CUDA_PTX") { return named }
        let words = SpawnedProcess.ownPath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        return words.isEmpty ? nil : words.joined(separator: "/") + "/share/bss-lua/ptx"
    }

    /// Of the kernels that the PTX was made from; nil: there is none.
    private static func hash(in folder: String) -> String? {
        // No such file: no PTX.
        (try? Files.readText("\(folder)/hash"))?.split(separator: "\n").first.map(String.init)
    }

    /// - Throws: kind `.device` if the kernel does not compile or the card refuses it.
    func function(_ kernel: Kernel) throws -> CUfunction {
        if let known = functions[kernel] { return known }
        var function: CUfunction?
        try Driver.check(bss_cuda_module_function(&function, module(kernel.program), kernel.symbol), kernel.symbol)
        guard let function else { throw BSSError(kernel.symbol, "the driver gave no kernel", kind: .device) }
        functions[kernel] = function
        return function
    }

    private func module(_ program: KernelProgram) throws -> CUmodule {
        if let known = modules[program] { return known }
        let code = try image(program)
        var module: CUmodule?
        try Driver.check(bss_cuda_module_load(&module, code, 0, nil, nil), "kernels of \(program.family)")
        guard let module else { throw BSSError(program.family, "the driver gave no module", kind: .device) }
        modules[program] = module
        return module
    }

    // MARK: Compiling

    private func image(_ program: KernelProgram) throws -> [UInt8] {
        switch maker {
        case .compiler(let version): return try cached(program, version)
        case .texts(let folder): return try Files.read("\(folder)/\(program.family)_\(program.dtype.name).ptx") + [0]
        }
    }

    private func cached(_ program: KernelProgram, _ compilerVersion: String) throws -> [UInt8] {
        guard let folder = KernelLibrary.cacheFolder else { return try compile(program, compilerVersion) }
        var hash = SHA256()
        hash.update(
            "\(KernelLibrary.textHash) \(compilerVersion) \(card.architecture) \(program.options)\n\(program.text)")
        let path = "\(folder)/\(hash.finish()).cubin"
        if Files.isFile(path) { return try Files.read(path) }
        let image = try compile(program, compilerVersion)
        // A cache that cannot be written costs time at the next start, nothing else.
        try? Files.makeFolder(folder)
        try? image.withUnsafeBytes { try Files.write($0, to: path, isDurable: false) }  // as above
        return image
    }

    /// `BSS_CUDA_CACHE`, else `~/.cache/bss-lua/cubin`; nil where `none` is asked for or there is no home.
    private static var cacheFolder: String? {
        if let named = Environment.text("BSS_CUDA_CACHE") { return named == "none" ? nil : named }
        let cache = Environment.text("XDG_CACHE_HOME") ?? Environment.text("HOME").map { "\($0)/.cache" }
        return cache.map { "\($0)/bss-lua/cubin" }
    }

    private func compile(_ program: KernelProgram, _ compilerVersion: String) throws -> [UInt8] {
        let texts = KernelLibrary.texts
        var names = texts.map { Optional($0.name) }
        var headers = texts.map { Optional($0.text) }
        var handle: nvrtcProgram?
        try KernelLibrary.check(
            bss_nvrtc_create(&handle, program.text, "program.cu", Int32(texts.count), &headers, &names), "NVRTC")
        defer { _ = bss_nvrtc_destroy(&handle) }
        let options = ["--gpu-architecture=\(card.architecture)", "--std=c++17"] + program.options
        let status = withCStrings(options + ["--device-as-default-execution-space"]) {
            bss_nvrtc_compile(handle, Int32($0.count), $0.baseAddress)
        }
        guard status == 0 else {
            throw BSSError(
                program.family, "NVRTC \(compilerVersion) compiles no kernels for \(card.architecture): \(log(handle))",
                hint: "a newer NVRTC may know the card: pip install -U nvidia-cuda-nvrtc", kind: .device)
        }
        var size = 0
        try KernelLibrary.check(bss_nvrtc_cubin_size(handle, &size), "NVRTC")
        var image = [CChar](repeating: 0, count: size)
        try KernelLibrary.check(bss_nvrtc_cubin(handle, &image), "NVRTC")
        return image.map { UInt8(bitPattern: $0) }
    }

    private func log(_ handle: nvrtcProgram?) -> String {
        var size = 0
        guard bss_nvrtc_log_size(handle, &size) == 0, size > 0 else { return "it says nothing" }
        var text = [CChar](repeating: 0, count: size)
        guard bss_nvrtc_log(handle, &text) == 0 else { return "it says nothing" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func check(_ status: Int32, _ call: String) throws {
        if status != 0 { throw BSSError(call, "status \(status)", kind: .device) }
    }
}

/// `body` with the texts as C strings.
private func withCStrings<R>(_ texts: [String], _ body: (UnsafeMutableBufferPointer<UnsafePointer<CChar>?>) -> R) -> R {
    let bytes = texts.map { Array($0.utf8CString) }
    let buffers = bytes.map { text -> UnsafeMutableBufferPointer<CChar> in
        let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: text.count)
        _ = buffer.initialize(from: text)
        return buffer
    }
    defer { buffers.forEach { $0.deallocate() } }
    var pointers = buffers.map { UnsafePointer($0.baseAddress) }
    return pointers.withUnsafeMutableBufferPointer { body($0) }
}
