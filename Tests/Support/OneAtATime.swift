import Testing

/// The engine is single-threaded, Swift Testing is not: tests with this trait never run beside each other, in whatever
/// suite or target they are.
///
/// ```swift
/// @Suite(.oneAtATime) struct ConvolutionTests { … }
/// ```
public struct OneAtATime: TestTrait, SuiteTrait, TestScoping {
    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        await Gate.shared.enter()
        do {
            try await function()
        } catch {
            await Gate.shared.leave()
            throw error
        }
        await Gate.shared.leave()
    }
}

extension Trait where Self == OneAtATime {
    public static var oneAtATime: Self { Self() }
}

/// A queue with one place at its head.
private actor Gate {
    static let shared = Gate()
    private var isOccupied = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func enter() async {
        if !isOccupied {
            isOccupied = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty {
            isOccupied = false
        } else {
            waiting.removeFirst().resume()
        }
    }
}
