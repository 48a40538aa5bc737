import BSSCore
import Testing
import _BSSTestSupport

/// Text and image encoders, tokenizers and weight files as scripts use them.
@Suite(.oneAtATime) struct PretrainedScriptTests {
    /// Writes arrays as .npy: no other program is needed.
    private static let arrays = """
        local function npy(name, kind, shape, format, value)
          local count = 1
          for _, n in ipairs(shape) do count = count * n end
          local text = ("{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }"):format(kind, \
        table.concat(shape, ", "))
          text = text .. (" "):rep(63 - (10 + #text) % 64) .. "\\n"
          local file <close> = assert(io.open(name, "wb"))
          file:write("\\x93NUMPY\\1\\0", string.pack("<I2", #text), text)
          for i = 0, count - 1 do file:write(string.pack(format, value(i))) end
        end
        local function fails(wanted, f, ...)
          local ok, e = pcall(f, ...)
          assert(not ok and tostring(e):find(wanted, 1, true), wanted .. ": " .. tostring(e))
        end
        -- Texts of 12 tokens out of 400, the last four padded; the first token says the class.
        npy("text.npy", "<f4", { 30, 3, 12 }, "<f", function(i)
          local sample, row, place = i // 36, i // 12 % 3, i % 12
          if row == 0 then return place == 0 and 50 + sample % 3 or (sample * 7 + place * 13) % 400 end
          return row == 1 and (place < 8 and 1 or 0) or 0
        end)
        npy("image.npy", "<f4", { 30, 3, 24, 24 }, "<f", function(i) return math.sin(i * 0.37) + (i // 1728) % 3 end)
        npy("label.npy", "<i8", { 30 }, "<i8", function(i) return i % 3 end)
        local function data(...)
          local modalities = {}
          for _, name in ipairs{ ... } do modalities[name] = name .. ".npy" end
          return bss.data.npy{ root = ".", modalities = modalities, split = { train = 0.6, val = 0.2, test = 0.2 }, \
        standardise = false }
        end
        local function train(model, set, epochs)
          return bss.train{
            data = set, model = model, epochs = epochs, batch_size = 6, record = false, scheduler = "random",
            optimizer = bss.optimizer.adam{ learning_rate = 3e-3 },
          }
        end

        """

    private func check(_ body: String, folder: Bool = false) throws {
        let program = try BuiltProgram()
        defer { program.remove() }
        let options = folder ? ["--data", FixtureFolder.location + "/hf"] : []
        let outcome = try program.script(Self.arrays + body, options)
        #expect(outcome.code == 0, "\(outcome.summary)")
    }

    @Test("small text and image networks learn") func networksLearn() throws {
        try check(
            """
            local text = data("text")
            for _, encoder in ipairs{
              bss.encoder.bert{ layers = 1, hidden = 16, heads = 2, vocabulary = 400, positions = 16, dropout = 0 },
              bss.encoder.bert{ layers = 1, hidden = 16, heads = 2, vocabulary = 400, pooling = "mean", features = 5, \
            dropout = 0.1 },
              bss.encoder.clip_text{ layers = 1, hidden = 16, heads = 2, vocabulary = 400, features = 8 },
              bss.encoder.lstm{ hidden = 16, vocabulary = 400, embedding = 8, bidirectional = true, pooling = "mean" },
            } do
              local run = train(bss.model{ text = encoder }, text, 12)
              assert(run.history[12].train.loss < 0.9 * run.history[1].train.loss, \
            encoder.name .. ": " .. run.history[1].train.loss .. " -> " .. run.history[12].train.loss)
              assert(train(bss.model{ text = encoder }, text, 12).parameters_hash == run.parameters_hash, encoder.name)
            end
            local both = data("image", "text")
            local run = train(bss.model{
              image = bss.encoder.clip_image{ patch = 8, layers = 1, hidden = 16, heads = 2, features = 8, \
            normalise = true },
              text = bss.encoder.bert{ layers = 1, hidden = 16, heads = 2, vocabulary = 400, pooling = "cls" },
            }, both, 6)
            assert(run.history[6].train.loss < run.history[1].train.loss)

            fails("[C, T, H, W]", train, bss.model{ text = bss.encoder.i3d{} }, text, 1)
            fails("[3, L]", train, bss.model{ image = bss.encoder.bert{} }, data("image"), 1)
            fails("positions", train, bss.model{ text = bss.encoder.bert{ layers = 1, hidden = 8, heads = 1, \
            vocabulary = 400, positions = 8 } }, text, 1)
            fails("no multiple", train, bss.model{ text = bss.encoder.bert{ layers = 1, hidden = 10, heads = 3, \
            vocabulary = 400 } }, text, 1)
            fails("outside", train, bss.model{ text = bss.encoder.bert{ layers = 1, hidden = 8, heads = 1, \
            vocabulary = 20 } }, text, 1)
            fails("square", train, bss.model{ text = bss.encoder.clip_image{} }, text, 1)
            """)
    }

    @Test("pretrained folders and files, and what does not fit them") func pretrained() throws {
        guard FixtureFolder.isPresent else { return FixtureFolder.reportAbsence("hf checkpoints in scripts") }
        try check(
            """
            local text = data("text")
            local model = bss.model{ text = bss.encoder.bert{ pretrained = "bert_tiny" } }:build(text)
            local report = model.pretrained.text
            assert(#report.loaded == 39 and #report.missing == 0 and #report.unexpected == 0, #report.loaded)
            -- The same weights under older names, from a pickle.
            local older = bss.model{ text = bss.encoder.bert{ pretrained = "bert_legacy/pytorch_model.bin", \
            heads = 4 } }:build(text, 7)
            local a, b = model:parameters(), older:parameters()
            for name, tensor in pairs(a) do
              if name:find("bert.", 1, true) then assert((tensor - b[name]):abs():max():item() == 0, name) end
            end
            -- A file of our own, a part of it.
            model:save("own.safetensors")
            local own = bss.model{ text = bss.encoder.bert{ pretrained = "own.safetensors", heads = 4 } }:build(text, 9)
            assert((own:parameters()["encoder.text.bert.encoder.layer.0.intermediate.dense.weight"] - \
            a["encoder.text.bert.encoder.layer.0.intermediate.dense.weight"]):abs():max():item() == 0)

            fails("unexpected: encoder.layer.1.output.dense.bias", model.build, \
            bss.model{ text = bss.encoder.bert{ pretrained = "bert_tiny", layers = 1 } }, text)
            fails("[48, 48] in the file", model.build, bss.model{ text = bss.encoder.bert{ pretrained = "bert_tiny", \
            hidden = 32 } }, text)
            local loose = bss.model{ text = bss.encoder.bert{ pretrained = "bert_tiny", layers = 3, \
            strict = false } }:build(text)
            assert(#loose.pretrained.text.missing == 16, #loose.pretrained.text.missing)
            fails("no file or folder nowhere", model.build, bss.model{ text = \
            bss.encoder.bert{ pretrained = "nowhere" } }, text)
            fails("holds no BERT", model.build, bss.model{ text = bss.encoder.bert{ pretrained = "clip_tiny" } }, text)
            local both = data("image", "text")
            local clip = bss.model{ image = bss.encoder.clip_image{ pretrained = "clip_tiny" }, \
            text = bss.encoder.clip_text{ pretrained = "clip_tiny" } }:build(both)
            assert(#clip.pretrained.image.missing == 0 and #clip.pretrained.text.unexpected == 0)
            assert(#clip:forward{ image = bss.randn{ 2, 3, 24, 24 }, \
            text = bss.zeros{ 2, 3, 12 } }.features.image:shape() == 2)
            """, folder: true)
    }

    @Test("tokenizers of a folder") func tokenizers() throws {
        guard FixtureFolder.isPresent else { return FixtureFolder.reportAbsence("hf tokenizers in scripts") }
        try check(
            """
            local bert = bss.tokenizer.wordpiece{ "bert_tiny" }
            local row = bert:encode("Hello, WORLD!", nil, 12)
            assert(#row.ids == 12 and #row.mask == 12 and row.mask[1] == 1 and row.mask[12] == 0)
            assert(bert:decode(row.ids) == "hello , world !", bert:decode(row.ids))
            local pair = bert:encode("the cat", "the dog")
            assert(pair.types[1] == 0 and pair.types[#pair.types] == 1)
            assert(table.concat(bert:tokens("unaffable"), " ") == "u ##n ##af ##fa ##b ##l ##e")
            assert(bert:size() == 588)
            local clip = bss.tokenizer.bpe{ "clip_tiny" }
            assert(clip:decode(clip:encode("a photo of the cat").ids) == "a photo of the cat")
            fails("another kind", bss.tokenizer.bpe, { "bert_tiny" })
            fails("no file or folder", bss.tokenizer.wordpiece, { "nowhere" })
            fails("room", bert.encode, bert, "x", "y", 2)
            fails("not in the vocabulary", bert.decode, bert, { 99999 })
            """, folder: true)
    }
}
