import BSSCore
import CBSSCUDA
import Glibc

/// One of NVIDIA's libraries: under which names it is looked for, where, and who brings it.
struct NVIDIALibrary {
    let library: bss_library
    let name: String
    /// Newest first.
    let files: [String]
    /// Folders below a Python environment's site-packages.
    let packages: [String]
    let bringer: String
    /// What `none` leaves it out by; nil: it is needed.
    var choice: String?

    static let driver = NVIDIALibrary(
        library: BSS_LIBRARY_CUDA, name: "the NVIDIA driver", files: ["libcuda.so.1"], packages: [],
        bringer: "the driver package of your system brings it, version 525 or later")
    static let compiler = NVIDIALibrary(
        library: BSS_LIBRARY_NVRTC, name: "NVRTC", files: ["libnvrtc.so.13", "libnvrtc.so.12"],
        packages: ["nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib"],
        bringer: "pip install nvidia-cuda-nvrtc brings it (nvidia-cuda-nvrtc-cu12 for a driver before 580)")

    static let products = NVIDIALibrary(
        library: BSS_LIBRARY_CUBLAS, name: "cuBLAS", files: ["libcublas.so.13", "libcublas.so.12"],
        packages: ["nvidia/cu13/lib", "nvidia/cublas/lib"],
        bringer: "pip install nvidia-cublas brings it (nvidia-cublas-cu12 for a driver before 580)",
        choice: "BSS_CUDA_BLAS")
    /// Comes with cuBLAS.
    static let linear = NVIDIALibrary(
        library: BSS_LIBRARY_CUBLASLT, name: "cublasLt", files: ["libcublasLt.so.13", "libcublasLt.so.12"],
        packages: products.packages, bringer: products.bringer)
    static let convolutions = NVIDIALibrary(
        library: BSS_LIBRARY_CUDNN, name: "cuDNN", files: ["libcudnn.so.9"], packages: ["nvidia/cudnn/lib"],
        bringer: "pip install nvidia-cudnn-cu13 brings it (nvidia-cudnn-cu12 for a driver before 580)",
        choice: "BSS_CUDA_CUDNN")

    /// Of CUDA: `libnvrtc.so.13` is 13; 0 for the driver, and for `libcudnn.so.9`, which says itself what it takes.
    private func major(_ file: String) -> Int { library == BSS_LIBRARY_CUDA ? 0 : Int(file.suffix(2)) ?? 0 }

    /// - Throws: kind `.device`: a variable that means nothing.
    static func checkChoices() throws {
        for name in [products, convolutions].compactMap(\.choice) {
            guard let choice = Environment.text(name), !["auto", "none"].contains(choice) else { continue }
            throw BSSError("device", "\(name) is \"auto\" or \"none\", not '\(choice)'", kind: .device)
        }
    }

    /// Opens the first that is found and that the driver can use.
    /// - Parameter driverMajor: of the CUDA version that the driver supports; a library may not be newer.
    /// - Returns: its path.
    /// - Throws: kind `.device`, one sentence: what is missing, where it was looked for, who brings it.
    func open(driverMajor: Int = .max) throws -> String {
        if let choice, Environment.text(choice) == "none" {
            throw BSSError("device", "\(name) is left out by \(choice)=none", kind: .device)
        }
        var refusals: [String] = []
        for file in files where major(file) <= driverMajor {
            for path in LibraryFolders.paths(of: file, packages: packages) {
                guard let refusal = bss_library_open(library, path) else { return path }
                if path.contains("/"), Files.exists(path) { refusals.append(String(cString: refusal)) }
            }
        }
        let reason = refusals.isEmpty ? "" : "; " + refusals.joined(separator: "; ")
        throw BSSError(
            "device",
            "\(name) (\(files.joined(separator: ", "))) was not found in \(LibraryFolders.described)\(reason)",
            hint: bringer, kind: .device)
    }
}

/// Where libraries are looked for: `BSS_CUDA_PATH` alone if it is set, else what the loader knows, toolkits, conda and
/// Python environments.
enum LibraryFolders {
    static var described: String {
        if let named { return "\(named) (BSS_CUDA_PATH)" }
        return "the loader's path, CUDA_HOME, /usr/local/cuda*, CONDA_PREFIX and Python's site-packages"
    }

    private static var named: String? { Environment.text("BSS_CUDA_PATH") }

    static func paths(of file: String, packages: [String]) -> [String] {
        if let named { return ["\(named)/\(file)"] }
        let sites = sitePackages.flatMap { site in packages.map { "\(site)/\($0)/\(file)" } }
        return [file] + (toolkits + sites.map { $0 }).map { $0.hasSuffix(file) ? $0 : "\($0)/\(file)" }
    }

    private static var toolkits: [String] {
        let installed = below("/usr/local") { $0.hasPrefix("cuda") }.map { "\($0)/lib64" }
        return ["CUDA_HOME"].compactMap(Environment.text).map { "\($0)/lib64" } + installed
            + ["CONDA_PREFIX"].compactMap(Environment.text).map { "\($0)/lib" }
    }

    private static var sitePackages: [String] {
        let roots = [
            Environment.text("VIRTUAL_ENV"), Environment.text("HOME").map { "\($0)/.local" }, "/usr/local", "/usr",
        ]
        return roots.compactMap { $0 }.flatMap { root in
            below("\(root)/lib") { $0.hasPrefix("python3") }.flatMap { ["\($0)/site-packages", "\($0)/dist-packages"] }
        }
    }

    private static func below(_ folder: String, _ isWanted: (String) -> Bool) -> [String] {
        // A folder that is not there holds nothing.
        ((try? Files.list(folder)) ?? []).filter(isWanted).map { "\(folder)/\($0)" }
    }
}

enum Environment {
    static func text(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
