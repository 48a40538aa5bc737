import BSSBackend
import BSSCore
import BSSTensor
import CBSSCUDA
import Glibc
import Testing
import _BSSEmulatedCard
import _BSSTestSupport

@testable import BSSCUDA

/// What the driver refuses, and what the backend could do wrong: each is an error that says so.
@Suite(.oneAtATime) struct GPUFaultTests {
    @Test("a full card: what is cached is given back and asked for again; then the largest tensors are named")
    func memory() throws {
        try EmulatedCard.run("a full card") { card in
            let kept = try Tensor.ones([1 << 20])
            _ = try Tensor.ones([3 << 20])  // cached when it goes
            try card.synchronise()  // clearing the emulator forgets what waits to run
            let entry = card.memoryEntry
            try EmulatedCard.with("FAIL", "\(entry):1:1:2") {
                let fresh = try Tensor.full([5 << 20], 2)
                #expect(try fresh.sum().item() == Double(10 << 20))
            }
            try EmulatedCard.with("FAIL", "\(entry):1:99:2") {
                let error = #expect(throws: BSSError.self) { try Tensor.full([7 << 20], 2) }
                #expect(error?.kind == .device)
                #expect(error?.message.contains("no memory on the graphics card for 28.0 MiB") == true)
                #expect(error?.message.contains("1 of 4.0 MiB") == true)
            }
            #expect(try kept.sum().item() == Double(1 << 20))
        }
    }

    @Test("a limit of the process is one of the card, and told as such")
    func memoryLimit() throws {
        try EmulatedCard.run("a limit of memory") { card in
            card.emptyCache()
            let before = card.memoryStatistics.live
            card.memoryLimit = before + (8 << 20)
            defer { card.memoryLimit = nil }
            let kept = try Tensor.ones([1 << 20])
            for _ in 0..<3 { #expect(try Tensor.ones([900_000]).sum().item() == 900_000) }
            // What is cached makes room; what lives does not.
            #expect(try Tensor.ones([700_000]).sum().item() == 700_000)
            let error = #expect(throws: BSSError.self) { try Tensor.ones([1 << 21]) }
            #expect(error?.message.contains("the limit is") == true)
            card.memoryLimit = nil
            #expect(try Tensor.ones([1 << 21]).sum().item() + kept.sum().item() == Double(3 << 20))
        }
    }

    @Test("an error of the card at any call of any entry is thrown, never lost")
    func failures() throws {
        try EmulatedCard.run("errors at every call") { _ in
            func work() throws -> Double {
                let x = try Tensor.from([3, 1, 2] as [Float])
                // One more than there are page-locked slots: the last waits for an event.
                let long = [Float](repeating: 0, count: StagingRing.shortest)
                let zero = try (0..<4).map { _ in try Tensor.from(long) }.map { try $0.sum().item() }
                return try (x * x).sorted().values.softmax(axis: -1).sum().item() + zero.reduce(0, +)
            }
            EmulatedCard.clear()
            let total = try work()
            #expect(abs(total - 1) < 1e-6)
            for entry in [
                "cuLaunchKernel", "cuMemcpyHtoDAsync_v2", "cuMemcpyDtoHAsync_v2", "cuStreamSynchronize",
                "cuEventRecord", "cuEventSynchronize",
            ] {
                let calls = EmulatedCard.calls(entry)
                #expect(calls > 0)
                for call in 1...max(calls, 1) {
                    EmulatedCard.with("FAIL", "\(entry):\(call):\(call):700") {
                        let error = #expect(throws: BSSError.self, "call \(call) of \(entry)") { try work() }
                        #expect(error?.kind == .device)
                        #expect(error?.message.contains("CUDA_ERROR_ILLEGAL_ADDRESS (700)") == true)
                    }
                }
                EmulatedCard.clear()
                _ = try work()
            }
        }
    }

    @Test("long copies leave in pieces; without page-locked memory they leave from the host's own")
    func staging() throws {
        try EmulatedCard.run("page-locked memory") { card in
            let count = 4 * StagingRing.slotBytes / 4 + 3  // in five pieces
            var numbers = [Float](repeating: 1, count: count)
            numbers[count - 1] = 7
            let x = try Tensor.from(numbers)
            numbers[0] = 100  // too late to matter
            #expect(try x.sliced(0, from: count - 4, to: count).values(Float.self) == [1, 1, 1, 7])
            #expect(try x.sliced(0, from: 0, to: 2).values(Float.self) == [1, 1])
            try card.synchronise()
            EmulatedCard.clear()
            let ring = StagingRing(stream: card.stream)
            try EmulatedCard.with("FAIL", "cuMemHostAlloc:1:99:2") {
                let target = CUdeviceptr(UInt(bitPattern: x.view.address))
                let isSent = try ring.send(numbers, to: target, 4 * count)
                #expect(!isSent)
            }
        }
    }

    @Test("every wait that is left out is noticed, but where nothing was under way")
    func waits() throws {
        try EmulatedCard.run("waits left out") { card in
            // The first leaves the card as every other finds it: kernels compiled, nothing cached.
            _ = try waiting(card)
            let honest = try waiting(card)
            let count = EmulatedCard.waits
            #expect(count >= 4, "\(count) waits")
            var equivalent = 0
            for wait in 1...max(count, 1) {
                let (noticed, idle) = EmulatedCard.with("SKIP", "\(wait)") { () -> (Bool, Bool) in
                    // Where the card complains, that is what is looked for.
                    let outcome = (try? waiting(card)) ?? []
                    return (outcome != honest || !EmulatedCard.findings.isEmpty, EmulatedCard.wasIdle)
                }
                if idle { equivalent += 1 }
                #expect(noticed != idle, "wait \(wait) of \(count) is left out")
            }
            print(
                "waits left out: \(count) of \(count), \(count - equivalent) noticed, \(equivalent) equivalent "
                    + "(nothing was under way)")
        }
    }

    /// Numbers that come out right only if every wait of the backend is made.
    private func waiting(_ card: CUDABackend) throws -> [Double] {
        EmulatedCard.clear()
        let x = try Tensor.from([5, 6, 7] as [Float])
        var numbers = try (x * x).values(Double.self)
        numbers.append(try x.sum().item())
        let y = try x.softmax(axis: 0)
        try card.synchronise()
        numbers.append(Double(EmulatedCard.pending))
        // Page-locked memory is written again when the copy before has left it.
        let long = try (0..<5).map { try Tensor.from([Float](repeating: Float($0), count: StagingRing.shortest)) }
        numbers += try long.map { try $0.sum().item() }
        // Blocks that are cached while a kernel that uses them has yet to run.
        _ = try Tensor.ones([64])
        card.memory.release()
        numbers.append(Double(EmulatedCard.pending))
        return numbers + (try y.values(Double.self))
    }

    @Test(
        "the checker finds planted mistakes",
        arguments: [
            ("bounds", "outside every allocation"), ("barrier", "without a barrier between"),
            ("blocks", "of another block"), ("unwritten", "nothing has written"), ("divergence", "is at the barrier"),
            ("shuffle", "that have returned"), ("alignment", "misaligned"), ("pointer", "outside every allocation"),
        ])
    func planted(_ name: String, _ words: String) throws {
        guard EmulatedCard.isChecked else {
            return print("ring 1 (emulated card), planted mistake \(name): 0 of 1 ran (needs the checked build)")
        }
        try EmulatedCard.run("planted mistake \(name)") { card in
            let x = try Tensor.ones([1024]), y = try Tensor.ones([128])
            try card.synchronise()
            setenv("EMULATED_CUDA_QUIET", "1", 1)
            defer { unsetenv("EMULATED_CUDA_QUIET") }
            let kernel = Kernel("planted_\(name)", "move", .float32)
            let threads = ["bounds": 256, "barrier": 128, "shuffle": 32, "alignment": 32, "pointer": 32][name] ?? 64
            if name == "bounds" {
                try card.launch(kernel, Grid(1), x.view.address, y.view.address, 128)
            } else {
                try card.launch(
                    kernel, Grid(name == "blocks" ? 8 : 1, threads: threads), x.view.address, y.view.address)
            }
            #expect(throws: BSSError.self) { try card.synchronise() }
            #expect(EmulatedCard.findings.contains(words), "\(EmulatedCard.findings)")
            EmulatedCard.clear()
        }
    }

    @Test("wrong parameters of a kernel are refused by their size")
    func parameters() throws {
        try EmulatedCard.run("sizes of parameters") { card in
            setenv("EMULATED_CUDA_QUIET", "1", 1)
            defer { unsetenv("EMULATED_CUDA_QUIET") }
            let x = try Tensor.ones([8])
            let walk = bss_walk([8], [[1]])
            #expect(throws: BSSError.self) {
                try card.launch(Kernel("fill", "move", .float32), Grid(1), walk, x.view.address, 2.0)
            }
            EmulatedCard.clear()
        }
    }

    @Test("without NVRTC the PTX of a bundle is taken, if it was made from these kernels")
    func bundledTexts() throws {
        try EmulatedCard.run("PTX in place of NVRTC") { card in
            let before = Environment.text("BSS_CUDA_PATH")
            let folder = "/tmp/bss-ptx-\(getpid())"
            setenv("BSS_CUDA_PATH", "/no/such/folder", 1)
            setenv("BSS_CUDA_PTX", folder, 1)
            defer {
                if let before { setenv("BSS_CUDA_PATH", before, 1) } else { unsetenv("BSS_CUDA_PATH") }
                unsetenv("BSS_CUDA_PTX")
                for file in ["hash", "move_f32.ptx", "move_f64.ptx"] { Files.remove("\(folder)/\(file)") }
                rmdir(folder)
            }
            func expectMissing() {
                let error = #expect(throws: BSSError.self) { try KernelLibrary(card.card) }
                #expect(error?.message.contains("NVRTC") == true)
            }
            expectMissing()
            try Files.makeFolder(folder)
            try Files.write("of other kernels\n", to: folder + "/hash")
            expectMissing()
            try Files.write(KernelLibrary.textHash + "\n", to: folder + "/hash")
            try Files.write("// emulated PTX\n.version 8.0\n", to: folder + "/move_f32.ptx")
            try Files.write("// emulated PTX\n.version 9.9\n", to: folder + "/move_f64.ptx")
            let library = try KernelLibrary(card.card)
            #expect(library.summary == "PTX of the bundle")
            _ = try library.function(Kernel("fill", "move", .float32))
            #expect(throws: BSSError.self) { try library.function(Kernel("fill", "move", .float64)) }
        }
    }

    @Test("what is missing is one sentence: which library, where it was looked for, who brings it")
    func missing() throws {
        let before = Environment.text("BSS_CUDA_PATH")
        setenv("BSS_CUDA_PATH", "/no/such/folder", 1)
        defer { if let before { setenv("BSS_CUDA_PATH", before, 1) } else { unsetenv("BSS_CUDA_PATH") } }
        for (library, words) in [
            (NVIDIALibrary.driver, "driver package"), (.compiler, "pip install nvidia-cuda-nvrtc"),
            (.products, "pip install nvidia-cublas"), (.convolutions, "pip install nvidia-cudnn-cu13"),
        ] {
            let error = #expect(throws: BSSError.self) { try library.open() }
            #expect(error?.kind == .device)
            #expect(error?.message.contains("was not found in /no/such/folder (BSS_CUDA_PATH)") == true)
            #expect(error?.hint?.contains(words) == true)
        }
    }
}

extension CUDABackend {
    /// The entry that fresh memory comes from.
    fileprivate var memoryEntry: String {
        Environment.text("BSS_POOL") == "exact" ? "cuMemAllocAsync" : "cuMemAlloc_v2"
    }
}
