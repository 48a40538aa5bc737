import BSSCore

/// Mel-scaled filters and cepstral coefficients.
public enum MelScale {
    /// Hertz to mel. `htk`: 2595 log10(1 + f/700) (HTK book). Otherwise Slaney's Auditory Toolbox (1998): linear below
    /// 1 kHz (200/3 Hz a mel), then 27 steps for each factor of 6.4.
    public static func mel(_ hertz: Double, htk: Bool) -> Double {
        if htk { return 2595 * Math.log(1 + hertz / 700) / Math.log(10) }
        return hertz < 1000 ? hertz * 3 / 200 : 15 + Math.log(hertz / 1000) * 27 / Math.log(6.4)
    }

    public static func hertz(_ mel: Double, htk: Bool) -> Double {
        if htk { return 700 * (Math.pow(10, mel / 2595) - 1) }
        return mel < 15 ? mel * 200 / 3 : 1000 * Math.exp((mel - 15) * Math.log(6.4) / 27)
    }

    /// Triangular filters over the bins 0 … n_fft/2: [bands, n_fft/2 + 1].
    /// - Parameter normalised: each triangle has unit area in hertz (Slaney) instead of unit height.
    public static func filters(
        sampleRate: Double, fftLength: Int, bands: Int, low: Double, high: Double, htk: Bool, normalised: Bool
    ) -> [[Double]] {
        let first = mel(low, htk: htk)
        let last = mel(high, htk: htk)
        let corners = (0..<bands + 2).map { hertz(first + (last - first) * Double($0) / Double(bands + 1), htk: htk) }
        return (0..<bands).map { band in
            let (left, peak, right) = (corners[band], corners[band + 1], corners[band + 2])
            let scale = normalised ? 2 / (right - left) : 1
            return (0...fftLength / 2).map { bin in
                let frequency = Double(bin) * sampleRate / Double(fftLength)
                return scale * max(0, min((frequency - left) / (peak - left), (right - frequency) / (right - peak)))
            }
        }
    }

    /// filters · power: [bands, frames].
    public static func apply(_ filters: [[Double]], _ power: SignalMatrix) -> SignalMatrix {
        let frames = power.columns
        var out = [Float](repeating: 0, count: filters.count * frames)
        var sums = [Double](repeating: 0, count: frames)
        for (band, filter) in filters.enumerated() {
            for t in 0..<frames { sums[t] = 0 }
            for (bin, weight) in filter.enumerated() where weight != 0 {
                for t in 0..<frames { sums[t] += weight * Double(power.values[bin * frames + t]) }
            }
            for t in 0..<frames { out[band * frames + t] = Float(sums[t]) }
        }
        return SignalMatrix(rows: filters.count, columns: frames, values: out)
    }

    /// 10 log10(max(power, floor)), then not more than `range` decibels below the largest value.
    public static func decibels(_ power: SignalMatrix, floor: Double = 1e-10, range: Double? = 80) -> SignalMatrix {
        let scale = 10 / Math.log(10)
        var values = power.values.map { scale * Math.log(max(floor, Double($0))) }
        if let range, let top = values.max() { values = values.map { max($0, top - range) } }
        return SignalMatrix(rows: power.rows, columns: power.columns, values: values.map { Float($0) })
    }

    /// Orthonormal DCT-II along the bands, the first `count` coefficients: [count, frames].
    public static func cepstrum(_ decibels: SignalMatrix, count: Int) -> SignalMatrix {
        let bands = decibels.rows
        let frames = decibels.columns
        var out = [Float](repeating: 0, count: count * frames)
        for c in 0..<count {
            let scale = ((c == 0 ? 1 : 2) / Double(bands)).squareRoot()
            let basis = (0..<bands).map { scale * Math.cos(.pi * Double(c) * (Double($0) + 0.5) / Double(bands)) }
            for t in 0..<frames {
                var sum = 0.0
                for band in 0..<bands { sum += basis[band] * Double(decibels.values[band * frames + t]) }
                out[c * frames + t] = Float(sum)
            }
        }
        return SignalMatrix(rows: count, columns: frames, values: out)
    }
}
