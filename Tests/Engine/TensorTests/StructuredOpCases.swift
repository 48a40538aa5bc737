import BSSBackend
import BSSCore
import BSSTensor

/// Convolution, pooling, normalisation, indexing, sorting, attention, recurrence and evidential losses of the `ops`
/// group.
enum StructuredOpCases {
    static func outputs(_ c: OpCase) throws -> [String: Tensor]? {
        try image(c) ?? norm(c) ?? index(c) ?? sequence(c) ?? evidence(c)
    }

    private static func image(_ c: OpCase) throws -> [String: Tensor]? {
        let item = c.item
        switch item.op {
        case "conv1d", "conv2d", "conv3d":
            return [
                "y": try c("x").convolution(
                    c("weight"), bias: c.optional("bias"), stride: item.ints("stride"), padding: item.ints("padding"),
                    dilation: item.ints("dilation"), groups: item.int("groups"))
            ]
        case "same_conv3d":
            return ["y": try c("x").sameConvolution(c("weight"), bias: c.optional("bias"), stride: item.ints("stride"))]
        case "same_maxpool3d":
            return ["y": try c("x").sameMaxPool(kernel: item.ints("kernel"), stride: item.ints("stride"))]
        case "maxpool1d", "maxpool2d", "maxpool3d":
            return [
                "y": try c("x").maxPool(
                    kernel: item.ints("kernel"), stride: item.ints("stride"), padding: item.ints("padding"),
                    dilation: item.ints("dilation"),
                    ceilMode: item.bool("ceil_mode"))
            ]
        case "avgpool1d", "avgpool2d", "avgpool3d":
            return [
                "y": try c("x").averagePool(
                    kernel: item.ints("kernel"), stride: item.ints("stride"), padding: item.ints("padding"),
                    ceilMode: item.bool("ceil_mode"),
                    countPadding: item.bool("count_include_pad"), divisor: item.attrs["divisor_override"]?.int)
            ]
        case "adaptive_avgpool1d", "adaptive_avgpool2d", "adaptive_avgpool3d":
            return ["y": try c("x").adaptiveAveragePool(item.ints("output_size"))]
        case "pad":
            let amounts = try item.ints("pad")
            let pairs = stride(from: 0, to: amounts.count, by: 2).map { (before: amounts[$0], after: amounts[$0 + 1]) }
            guard let mode = PaddingMode(rawValue: try item.string("mode")) else {
                throw BSSError(item.id, "unknown padding mode")
            }
            return ["y": try c("x").padded(pairs, mode: mode, value: item.double("value", default: 0))]
        default: return nil
        }
    }

    private static func norm(_ c: OpCase) throws -> [String: Tensor]? {
        let item = c.item
        switch item.op {
        case "batchnorm1d", "batchnorm2d", "batchnorm3d":
            let eps = try item.double("eps")
            let weight = c.optional("weight")
            let bias = c.optional("bias")
            let tracks = try item.bool("track_running_stats")
            if try !item.bool("training"), tracks {
                return [
                    "y": try c("x").batchNormalized(
                        mean: c("running_mean"), variance: c("running_var"), weight: weight, bias: bias, eps: eps)
                ]
            }
            let (y, statistics) = try c("x").batchNormalized(weight: weight, bias: bias, eps: eps)
            guard tracks else { return ["y": y] }
            let seen = try c.optional("num_batches_tracked")?.item() ?? 0
            let factor = item.attrs["momentum"]?.double ?? 1 / (seen + 1)
            let running = try statistics.updating(
                runningMean: c("running_mean"), runningVariance: c("running_var"), factor: factor)
            return [
                "y": y, "running_mean_out": running.mean, "running_var_out": running.variance,
                "num_batches_tracked_out": try Tensor.full([], seen + 1, .int64),
            ]
        case "layernorm":
            return [
                "y": try c("x").layerNormalized(
                    over: Shape(item.ints("normalized_shape")), weight: c.optional("weight"), bias: c.optional("bias"),
                    eps: item.double("eps"))
            ]
        default: return nil
        }
    }

    private static func index(_ c: OpCase) throws -> [String: Tensor]? {
        let item = c.item
        switch item.op {
        case "embedding":
            return ["y": try Tensor.embedding(c("ids"), c("weight"), paddingIndex: item.attrs["padding_idx"]?.int)]
        case "gather": return ["y": try c("x").gather(c.axis(), c("index"))]
        case "index_select": return ["y": try c("x").indexSelect(c.axis(), c("index"))]
        case "scatter_add": return ["y": try c("x").scatterAdd(c.axis(), c("index"), c("src"))]
        case "index_add": return ["y": try c("x").indexAdd(c.axis(), c("index"), c("src"), alpha: item.double("alpha"))]
        case "one_hot": return ["y": try c("index").oneHot(classes: item.int("num_classes"))]
        case "topk":
            let (values, indices) = try c("x").topK(item.int("k"), axis: c.axis(), largest: item.bool("largest"))
            return ["values": values, "indices": indices]
        case "sort":
            let (values, indices) = try c("x").sorted(c.axis(), descending: item.bool("descending"))
            return ["values": values, "indices": indices]
        case "argsort": return ["indices": try c("x").argsorted(c.axis(), descending: item.bool("descending"))]
        case "cumsum": return ["y": try c("x").cumulativeSum(c.axis())]
        default: return nil
        }
    }

    private static func sequence(_ c: OpCase) throws -> [String: Tensor]? {
        let item = c.item
        switch item.op {
        case "sdpa", "sdpa_fully_masked_row":
            return [
                "y": try Tensor.attention(
                    c("q"), c("k"), c("v"), mask: c.optional("bool_mask") ?? c.optional("float_mask"),
                    isCausal: item.attrs["is_causal"]?.bool ?? false, scale: item.attrs["scale"]?.double
                ).output
            ]
        case "multihead_attention":
            let weights: AttentionWeights
            if c.has("in_proj_weight") {
                weights = try AttentionWeights(
                    joined: c("in_proj_weight"), joinedBias: c.optional("in_proj_bias"), output: c("out_proj.weight"),
                    outputBias: c.optional("out_proj.bias"))
            } else {
                let biases = try c.optional("in_proj_bias")?.chunks(3, axis: 0)
                weights = AttentionWeights(
                    query: try c("q_proj_weight"), key: try c("k_proj_weight"), value: try c("v_proj_weight"),
                    output: try c("out_proj.weight"),
                    queryBias: biases?[0], keyBias: biases?[1], valueBias: biases?[2],
                    outputBias: c.optional("out_proj.bias"))
            }
            let (y, attention) = try Tensor.multiHeadAttention(
                query: c("query"), key: c("key"), value: c("value"), weights, heads: item.int("num_heads"),
                isPadding: c.optional("key_padding_mask"), isCausal: item.bool("causal", default: false))
            return ["y": y, "attn_weights": try item.bool("average_attn_weights") ? attention.mean([1]) : attention]
        case "lstm", "gru":
            guard let cell = RecurrentCell(rawValue: try item.string("cell", default: item.op)) else {
                throw BSSError(item.id, "unknown cell")
            }
            let isBidirectional = try item.bool("bidirectional")
            let suffixes = try (0..<item.int("num_layers")).flatMap {
                isBidirectional ? ["_l\($0)", "_l\($0)_reverse"] : ["_l\($0)"]
            }
            let weights = try suffixes.map {
                RecurrentWeights(
                    input: try c("weight_ih\($0)"), hidden: try c("weight_hh\($0)"),
                    inputBias: c.optional("bias_ih\($0)"), hiddenBias: c.optional("bias_hh\($0)"))
            }
            let isBatchFirst = try item.bool("batch_first", default: true)
            let x = try isBatchFirst ? c("x") : c("x").transposed(0, 1)
            let (y, hidden, cellState) = try x.recurrent(
                cell, weights, isBidirectional: isBidirectional, lengths: c.optional("lengths")?.values(Int.self),
                hidden: c.optional("h0"),
                cellState: c.optional("c0"))
            var outputs = ["y": try isBatchFirst ? y : y.transposed(0, 1), "hn": hidden]
            outputs["cn"] = cellState
            return outputs
        default: return nil
        }
    }

    private static func evidence(_ c: OpCase) throws -> [String: Tensor]? {
        let item = c.item
        switch item.op {
        case "evidence_ce_loss":
            return [
                "loss": try Tensor.evidenceCrossEntropy(
                    c("alpha"), c("label"), step: item.double("global_step"), annealing: item.double("annealing_step"))
            ]
        case "evidence_mse_loss":
            return [
                "loss": try Tensor.evidenceMeanSquaredError(
                    c("alpha"), c("label"), step: item.double("global_step"), annealing: item.double("annealing_step"))
            ]
        case "dempster_shafer_combine": return ["alpha": try Tensor.dempsterShafer(c("alpha1"), c("alpha2"))]
        case "fusion_film":
            return [
                "y": try Tensor.fusionFiLM(
                    c("x"), c("v"), weight: c("fc.weight"), bias: c.optional("fc.bias"), outWeight: c("fc_out.weight"),
                    outBias: c.optional("fc_out.bias"))
            ]
        case "fusion_gated":
            return [
                "y": try Tensor.fusionGated(
                    c("x"), c("v"), xWeight: c("fc_x.weight"), xBias: c.optional("fc_x.bias"),
                    vWeight: c("fc_y.weight"), vBias: c.optional("fc_y.bias"),
                    outWeight: c("fc_out.weight"), outBias: c.optional("fc_out.bias"))
            ]
        case "fusion_sum":
            return [
                "y": try Tensor.fusionSum(
                    c("x"), c("v"), xWeight: c("fc_x.weight"), xBias: c.optional("fc_x.bias"),
                    vWeight: c("fc_y.weight"), vBias: c.optional("fc_y.bias"))
            ]
        default: return nil
        }
    }
}
