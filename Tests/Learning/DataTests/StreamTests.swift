import BSSCore
import Foundation
import Testing
import _BSSTestSupport

@testable import BSSCodecs
@testable import BSSData

/// Reading ahead, augmentation and the cache of decoded media.
@Suite(.serialized) struct StreamTests {
    private func data(_ folder: String, _ more: [(String, Value)] = []) throws -> Dataset {
        try makeDataset(
            "crema_d",
            [("root", .string(folder)), ("seconds", .number(0.3)), ("image_size", .list([.int(16), .int(16)]))] + more)
    }
    private func epoch(_ number: Int) -> RandomStream {
        RandomStream(seed: 1, name: "augment").child("epoch \(number)")
    }

    /// Every sample of an epoch in announced batches.
    private func visit(
        _ data: Dataset, rows: [Int], batch: Int, threads: Int, limit: Int = 1 << 20, announces: Bool = true,
        epoch: RandomStream
    ) throws -> [Int: [Float]] {
        let loader = BatchLoader(data.modalities.map(\.stream), threads: threads, limit: limit)
        if announces { loader.announce([0, 1], rows: rows, batchSize: batch, augments: true, random: epoch) }
        var seen: [Int: [Float]] = [:]
        for start in stride(from: 0, to: rows.count, by: batch) {
            let part = Array(rows[start..<min(rows.count, start + batch)])
            for modality in 0..<2 {
                let (shape, blocks) = try loader.samples(modality, rows: part, augments: true, random: epoch)
                #expect(shape == data.modalities[modality].shape)
                for (row, block) in zip(part, blocks) { seen[row, default: []] += block }
            }
        }
        return seen
    }

    @Test func samplesDependOnNeitherThreadsNorBatchesNorOrder() throws {
        let scratch = try ScratchFolder()
        let data = try data(MiniatureData("crema_d", in: scratch.path).folder)
        let rows = Array(0..<data.count)
        let expected = try visit(data, rows: rows, batch: 4, threads: 0, epoch: epoch(0))
        var order = RandomStream(seed: 3, name: "order")
        for (threads, batch, limit) in [(1, 4, 1 << 20), (3, 5, 1), (4, 24, 1 << 30), (2, 1, 100_000)] {
            #expect(
                try visit(data, rows: rows, batch: batch, threads: threads, limit: limit, epoch: epoch(0)) == expected,
                "\(threads) threads, batch \(batch), \(limit) bytes")
            #expect(
                try visit(
                    data, rows: order.permutation(data.count), batch: batch, threads: threads, limit: limit,
                    epoch: epoch(0)) == expected)
        }
        #expect(try visit(data, rows: rows, batch: 7, threads: 2, announces: false, epoch: epoch(0)) == expected)
        // Another epoch has other crops, the same recordings.
        let other = try visit(data, rows: rows, batch: 4, threads: 2, epoch: epoch(1))
        let audio = data.modalities[0].size
        #expect(rows.allSatisfy { other[$0]!.prefix(audio) == expected[$0]!.prefix(audio) })
        #expect(rows.allSatisfy { other[$0]!.dropFirst(audio) != expected[$0]!.dropFirst(audio) })
    }

    @Test func lookaheadHoldsWhatItMayAndNoMore() throws {
        // Every result counts as 10 bytes: at most 3 may wait or run.
        let lock = Lock()
        var live = 0
        var most = 0
        let lookahead = Lookahead<[Int]>(count: 200, limit: 30, bytes: { _ in 10 }) { number in
            lock.withLock {
                live += 1
                most = max(most, live)
            }
            usleep(200)
            return [number]
        }
        let threads = Threads(6) { lookahead.work() }
        for number in 0..<200 {
            #expect(try lookahead.take(number, helpUpTo: number + 1, operation: "test") == [number])
            lock.withLock { live -= 1 }
            if number % 50 == 0 { usleep(20_000) }
        }
        lookahead.stop()
        threads.join()
        // Until the first result tells the size, as many run as there are threads.
        #expect(most <= 7, "\(most)")
    }

    @Test func anUnreadableFileIsReportedWhereItIsDue() throws {
        let scratch = try ScratchFolder()
        let mini = try MiniatureData("crema_d", in: scratch.path)
        try mini.write("AudioWAV/1001_IEO_SAD_XX.wav", Array("RIFF".utf8))
        let data = try data(mini.folder)
        let bad = try #require(data.ids.firstIndex(of: "1001_IEO_SAD_XX"))
        for threads in [0, 3] {
            let loader = BatchLoader(data.modalities.map(\.stream), threads: threads, limit: 1 << 20)
            let rows = Array(0..<data.count)
            loader.announce([0], rows: rows, batchSize: 4, augments: false, random: epoch(0))
            var reached = -1
            let text = message {
                for start in stride(from: 0, to: rows.count, by: 4) {
                    _ = try loader.samples(
                        0, rows: Array(rows[start..<min(rows.count, start + 4)]), augments: false, random: epoch(0))
                    reached = start
                }
            }
            #expect(text.contains("AudioWAV/1001_IEO_SAD_XX.wav") && reached == bad / 4 * 4 - 4, "\(text), \(reached)")
        }
    }

    @Test func theCacheServesUnchangedFilesAndOptionsOnly() throws {
        let scratch = try ScratchFolder()
        let mini = try MiniatureData("crema_d", in: scratch.path)
        let cache: [(String, Value)] = [("cache", .string(scratch.file("cache")))]
        func all(_ more: [(String, Value)] = []) throws -> [[Float]] {
            let data = try data(mini.folder, cache + more)
            return try data.modalities.flatMap { modality in try (0..<data.count).map { try modality.sample($0) } }
        }
        let plain = try data(mini.folder)
        let expected = try plain.modalities.flatMap { m in try (0..<plain.count).map { try m.sample($0) } }
        #expect(try all() == expected)
        let sizes = { try Files.list(scratch.file("cache")).map { try Files.read(scratch.file("cache/\($0)")).count } }
        let first = try sizes()
        #expect(first.count == 4 && first.allSatisfy { $0 > 0 })
        // Served: nothing is added, and what is served is the cache's.
        #expect(try all() == expected && sizes() == first)
        let name = try #require(
            try Files.list(scratch.file("cache")).first { $0.hasPrefix("crema_d-audio") && $0.hasSuffix(".data") })
        var bytes = try Files.read(scratch.file("cache/\(name)"))
        let value = Float(123).bitPattern.littleEndian
        withUnsafeBytes(of: value) { for (i, byte) in $0.enumerated() { bytes[20 + i] = byte } }
        try Files.write(bytes, to: scratch.file("cache/\(name)"))
        #expect(try all().contains { $0.first == 123 })
        // A changed file is decoded again; its neighbours are not.
        try mini.write("AudioWAV/1000_IEO_NEU_XX.wav", MediaBytes.tone(900, rate: 16000, seconds: 0.2))
        let changed = try all()
        #expect(changed[0] != expected[0] && changed[0].first != 123 && changed[1] == expected[1])
        // Another option is another cache.
        #expect(try all([("hop", .int(300))])[0].count != expected[0].count)
        #expect(try Files.list(scratch.file("cache")).count == 6)
        // A cut index or data file costs time only.
        for file in try Files.list(scratch.file("cache")) {
            let bytes = try Files.read(scratch.file("cache/\(file)"))
            try Files.write(Array(bytes.prefix(bytes.count / 2 + 3)), to: scratch.file("cache/\(file)"))
        }
        #expect(try all() == changed && all() == changed)
    }

    @Test func aGestureHasOneWindowAndOneSquareForAllModalities() throws {
        let scratch = try ScratchFolder()
        let folder = try MiniatureData("nvgesture", in: scratch.path).folder
        let options: [(String, Value)] = [
            ("root", .string(folder)), ("frames", .int(5)), ("eval_frames", .int(6)), ("side", .int(24)),
            ("crop", .int(8)),
        ]
        let data = try makeDataset("nvgesture", options)
        let flow = try #require(data.modality("flow").stream)
        let whole = try Npy.parse(Files.read(folder + "/Video_data/flow_data/train/0.npy"), source: "x").floats!
        for number in 0..<6 {
            let shared = epoch(number).child("sample 0")
            let use = SampleUse(augments: true, random: shared, shared: shared)
            let cut = ClipCut(available: 80, length: 5, evaluationLength: 6, side: 24, crop: 8)
            let block = try flow.read(0, augments: true, random: epoch(number))
            let corner = cut.corner(use)
            let window = cut.window(use)
            #expect(block.shape == [2, 5, 8, 8])
            #expect(block.values[0] == whole[((corner.top * 24 + corner.left) * 2) * 80 + window.lowerBound])
            for name in ["rgb", "depth"] {
                #expect(try data.modality(name).stream!.read(0, augments: true, random: epoch(number)).shape[1] == 5)
            }
        }
        #expect(try flow.read(0, augments: false, random: epoch(0)).shape == [2, 6, 8, 8])
        // As released: blue first, and all 80 frames of flow.
        let released = try makeDataset(
            "nvgesture", options + [("channel_order", .string("bgr")), ("flow_window", .string("all"))])
        #expect(try released.modality("flow").stream!.read(0, augments: true, random: epoch(0)).shape == [2, 80, 8, 8])
        let rgb = try data.modality("rgb").sample(0)
        let bgr = try released.modality("rgb").sample(0)
        let plane = 6 * 64
        #expect((0..<plane).allSatisfy { abs(rgb[$0] * 0.229 + 0.485 - (bgr[2 * plane + $0] * 0.225 + 0.406)) < 1e-5 })
    }

    @Test func aviFilesOfOtherCodingsSayWhatToDo() throws {
        let frame = MediaBytes.jpeg(width: 9, height: 7) { _, _ in (200, 10, 30) }
        let avi = try AVI(bytes: MediaBytes.avi([frame, [], frame]), source: "x.avi")
        #expect(avi.frames.count == 3 && Array(avi.frames[1]) == frame)
        #expect(
            message { _ = try AVI(bytes: MediaBytes.avi([frame], coding: "XVID"), source: "x.avi") }.contains(
                "its video is coded as 'XVID'"))
        let good = MediaBytes.avi([frame])
        for length in 0..<good.count {
            #expect(!message { _ = try AVI(bytes: Array(good.prefix(length)), source: "x.avi") }.isEmpty)
        }
    }

    @Test func damagedJPEGsNeverCrash() throws {
        let image = MediaBytes.jpeg(width: 37, height: 21) { x, y in (x * 40 % 256, y * 80 % 256, (x + y) * 30 % 256) }
        let decoded = try RasterImage.decode(image, source: "x.jpg")
        #expect(decoded.width == 37 && decoded.height == 21)
        for at in 2..<image.count {
            var damaged = image
            damaged[at] ^= 0x55
            // A picture of the size that the file states, or a reason that names it.
            do {
                let picture = try RasterImage.decode(damaged, source: "x.jpg")
                #expect(picture.pixels.count == picture.width * picture.height * picture.channels, "byte \(at)")
            } catch { #expect("\(error)".contains("x.jpg"), "byte \(at): \(error)") }
        }
    }

    @Test func randAugmentIsDrawnPerSampleAndStaysInRange() throws {
        let image = try RasterImage.decode(
            MediaBytes.jpeg(width: 40, height: 32) { x, y in (x * 50 % 256, y * 60 % 256, 90) }, source: "x.jpg")
        let augment = RandAugment()
        for operation in RandAugment.Operation.allCases {
            let out = augment.apply(operation, image, isNegative: false)
            #expect(
                out.width == 40 && out.height == 32 && (operation == .identity) == (out.pixels == image.pixels),
                "\(operation)")
        }
        #expect(augment.apply(.translateX, image, isNegative: false).pixels[0..<21].allSatisfy { $0 == 128 })
        #expect(augment.apply(.translateX, image, isNegative: false).pixels[21..<24] == image.pixels[0..<3])
        var none = RandAugment()
        none.magnitude = 0
        #expect(
            none.apply(.rotate, image, isNegative: true).pixels == image.pixels
                && none.apply(.shearY, image, isNegative: false).pixels == image.pixels)
        var changed = 0
        for i in 0..<64 {
            var a = RandomStream(seed: UInt64(i), name: "x")
            var b = a
            let first = augment.apply(image, &a)
            #expect(first.pixels == augment.apply(image, &b).pixels)
            if first.pixels != image.pixels { changed += 1 }
        }
        // Two chances of ½ · 9/10 each leave a third unchanged.
        #expect((30...58).contains(changed), "\(changed)")
    }

    @Test func randomCropsFollowTheirLaw() {
        var stream = RandomStream(seed: 1, name: "crop")
        var shares: [Double] = []
        for _ in 0..<2000 {
            let r = RandomCrop().rectangle(width: 320, height: 240, &stream)
            #expect(
                r.top >= 0 && r.left >= 0 && r.top + r.height <= 240 && r.left + r.width <= 320 && r.width > 0
                    && r.height > 0)
            let ratio = Double(r.width) / Double(r.height)
            #expect(ratio > 0.73 && ratio < 1.36)
            shares.append(Double(r.width * r.height) / 76800)
        }
        #expect(shares.min()! >= 0.078 && shares.max()! > 0.9)
        // A rectangle that never fits: the middle.
        // (300 - 133) / 2, rounded down.
        let middle = RandomCrop(scale: 4...4).rectangle(width: 300, height: 100, &stream)
        #expect((middle.top, middle.left) == (0, 83))
        #expect((middle.height, middle.width) == (100, 133))
    }
}
