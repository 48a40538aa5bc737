import Testing

/// A model of other data: its own standardisation and classes, or an error that names the difference; and data that
/// would train or measure nothing.
@Suite(.oneAtATime) struct ForeignDataTests {
    /// The same samples, moved by 100; classes in another order; no validation split.
    private static let data = """
        local function csv(move, names, split)
          local path = os.tmpname()
          local file = io.open(path, "w")
          file:write("x,y,label,label_name,split\\n")
          for i = 1, 60 do
            local x = (i * 7 % 11) * move + move
            file:write(("%g,%g,%s,%s,%s\\n"):format(x, i * 3 % 13, names[i % 2 + 1], "n", split(i)))
          end
          file:close()
          return bss.data.csv{ path = path, modalities = { a = { "x" }, b = { "y" } } }
        end
        local function split(i) return i % 3 == 0 and "test" or "train" end
        local d = csv(1, { "cat", "dog" }, split)
        local strange = csv(1, { "cat", "zebra" }, split)
        local model = bss.train{ data = d, epochs = 2, record = false }.model
        local path = os.tmpname()
        model:save(path)

        """

    private func check(_ body: String) throws {
        try ScriptFeatureTests.check(ForeignDataTests.data + body)
    }

    @Test("measure and teachers see samples as predict does")
    func standardisation() throws {
        try check(
            """
            local loaded = bss.model.load(path)
            local raw = bss.data.csv{ path = d.root, modalities = { a = { "x" }, b = { "y" } }, standardise = false }
            local measured = { data = raw, model = loaded, measurer = bss.measurer{ "loss" } }
            local own, same = bss.measure(measured), bss.measure{ data = d, model = model, \
            measurer = bss.measurer{ "loss" } }
            for i, score in ipairs(own.loss) do near(score, same.loss[i], 1e-5) end
            local function scores(data)
              local seen
              bss.train{ data = data, epochs = 1, record = false, seed = 4, \
              scheduler = bss.scheduler.custom{ function(t, scores) seen = scores; return { 1 } end, \
              measurer = bss.measurer{ "loss" }, score_checkpoint = path } }
              return seen
            end
            local there, here = scores(raw), scores(d)
            for i, score in ipairs(here) do near(there[i], score, 1e-5) end
            fails("'zebra' is none of the model's|cat, dog", bss.measure, { data = strange, model = loaded })
            fails("cat, dog|cat, zebra", bss.train, { data = strange, model = loaded, epochs = 1, record = false })
            fails("cat, dog|cat, zebra", bss.train, { data = strange, epochs = 1, record = false, \
            scheduler = bss.scheduler.transfer{ checkpoint = path } })
            fails("no split 'val'", bss.measure, { data = d, model = loaded, split = "val" })
            fails("no split 'val'", model.predict, model, { data = d, split = "val" })
            fails("no split 'val'", model.predict, model, { data = d.val })
            """)
    }

    @Test("options that would have no effect are refused")
    func refusals() throws {
        try check(
            """
            local function train(options)
              options.data, options.epochs, options.record = d, 1, false
              return bss.train(options)
            end
            for _, metric in ipairs{ "val_loss", "val_accuracy" } do
              fails(metric .. "|no validation split", train, \
              { learning_rate = bss.learning_rate.plateau{ metric = metric } })
            end
            fails("inference_heads|finite numbers", train, { inference_heads = { fused = 0 / 0 } })
            fails("inference_heads|finite numbers", train, { inference_heads = { fused = 1, a = -1 } })
            fails("inference_heads has no effect|mla", train, { rebalance = "mla", inference_heads = "fused" })
            fails("the pace has no effect", bss.scheduler.self_paced, { threshold = 1, pace = "full" })
            fails("growth has no effect", bss.scheduler.self_paced, { growth = 3 })
            local function table_of(columns) return bss.data.csv{ path = d.root, modalities = columns } end
            fails("'label', which says the label", table_of, { a = { "x", "label" }, b = { "y" } })
            fails("no column starts with 'l'", table_of, { a = "l", b = { "y" } })
            """)
    }
}
