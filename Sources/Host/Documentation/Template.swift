import BSSCore

/// What `bss-lua new KIND NAME` writes: a script that runs as it stands and says where to go on.
public enum Template: String, CaseIterable {
    case pace, scheduler, criterion, loss, method, experiment, notebook

    /// The script's text.
    public func text(named name: String) -> String {
        switch self {
        case .experiment: return Template.experiment(name)
        case .notebook: return Template.notebook(name)
        default: return Template.head + part(name) + Template.trial(name, option: option(name))
        }
    }

    /// The module: a function that makes the part.
    private func part(_ name: String) -> String {
        switch self {
        case .pace:
            return """
                -- A pace function: which share of the ranked samples may epoch t use?
                --   t counts from 0; the result lies in (0, 1].
                local function \(name)(t)
                  return math.min(1, 0.2 + 0.1 * t)
                end


                """
        case .scheduler:
            return """
                -- A scheduler: which samples does epoch t show, in which order?
                --   t counts from 0; scores[i] is the balance of training sample i, nil before the first scan.
                --   Returns positions in the training split, from 1; samples may be left out or repeated.
                local function \(name)(t, scores)
                  local order = {}
                  for i = 1, #data.train do order[i] = i end
                  if scores then
                    table.sort(order, function(a, b) \
                return scores[a] > scores[b] or scores[a] == scores[b] and a < b end)
                  end
                  return order
                end


                """
        case .criterion:
            return """
                -- A criterion: one number per training sample, which a measurer normalises and adds to the score.
                --   evidence.logits[modality][i], evidence.fused[i] are lists of C numbers; evidence.labels[i] \
                is a class
                --   position from 1; evidence.loss[i] is the training loss.
                local function \(name)(evidence)
                  local values = {}
                  for i, row in ipairs(evidence.fused) do values[i] = math.max(table.unpack(row)) end
                  return values
                end


                """
        case .loss:
            return """
                -- A loss for each sample: what becomes of the losses [B] of a batch before they are averaged.
                --   labels are class positions from 1, epoch counts from 1, positions are those in the training split.
                local function \(name)(losses, labels, epoch, positions)
                  return losses:minimum(4.0)
                end


                """
        default:
            return """
                -- A rebalancing method: any of the hooks setup, epoch, plan, loss, step, grads, predict.
                --   `bss-lua help bss.rebalance.custom` says what each receives and returns.
                local \(name) = bss.rebalance.custom{
                  label = "\(name)", base = "joint",
                  grads = function(ctx, grads, out, labels)
                    local changed = {}
                    for parameter, g in pairs(grads.fusion or {}) do changed[parameter] = g * 0.5 end
                    return { fusion = changed }
                  end,
                }


                """
        }
    }

    /// How `bss.train` is given it.
    private func option(_ name: String) -> String {
        switch self {
        case .pace: return "scheduler = bss.scheduler.heuristic{ pace = bss.pace.custom(\(name)) }"
        case .scheduler:
            return "scheduler = bss.scheduler.custom(\(name), bss.measurer{ \"prediction_similarity\", \"loss\" })"
        case .criterion:
            let measurer = "bss.measurer{ bss.criterion.custom(\(name), \"high\") }"
            return "scheduler = bss.scheduler.learned{ measurer = \(measurer) }"
        case .loss: return "sample_loss = bss.sample_loss.custom(\(name))"
        default: return "rebalance = \(name)"
        }
    }

    private static func trial(_ name: String, option: String) -> String {
        """
        -- Try it: a short training with it, and one without.
        local function accuracy(options)
          options.data, options.epochs, options.seed, options.record = data, 5, 1, false
          return bss.train(options).result.last.test.total.accuracy
        end
        print("without", accuracy{})
        print("with", accuracy{
          \(option),
        })

        """
    }

    /// The head of a part's script: it needs data to be tried on.
    private static let head = "local bss = require \"bss\"\nlocal data = bss.data.synthetic{ samples = 600 }\n\n"

    private static func experiment(_ name: String) -> String {
        """
        -- \(name): what does this experiment ask, and what would answer it?
        --
        --   bss-lua \(name).lua [--set epochs=20] [--seed 1] [--out DIR]
        local bss = require "bss"
        local p = bss.params{ samples = 600, epochs = 8, seeds = 6 }
        local data = bss.data.synthetic{ samples = p.samples }

        print(bss.experiment{
          name = "\(name)", title = "\(name)", params = p, seeds = p.seeds, metrics = { "test.total.accuracy" },
          arms = {
            { name = "uniform order", scheduler = bss.scheduler.random{} },  -- same losses, same inference: the control
            { name = "BSS-L", scheduler = bss.scheduler.learned{ every = 2 } },
          },
          control = "uniform order",
          run = function(p, arm, seed)
            return bss.train{ data = data, epochs = p.epochs, seed = seed, scheduler = arm.scheduler }
          end,
        })

        """
    }

    private static func notebook(_ name: String) -> String {
        """
        -- %% [markdown]
        -- # \(name)
        -- Fill in the outputs with `bss-lua nb run \(name).lua`, check them with `bss-lua nb check \(name).lua`.

        -- %%
        data = bss.data.synthetic{ samples = 600 }
        run = bss.train{ data = data, epochs = 5, seed = 1, record = false, \
        scheduler = bss.scheduler.learned{ every = 2 } }
        _ = run.result.last.test.total.accuracy

        -- %%
        _ = run:plot_scores()

        """
    }
}
