-- %% [markdown]
-- # A tour: look at data, train, look at balance, change the pace
--
-- A notebook is a Lua script. `bss-lua nb run experiments/tour.lua` fills in the outputs, `nb check` runs it in a clean
-- state and names the first output that differs, `nb export experiments/tour.lua -o tour.ipynb` (or `.html`, `.md`) writes
-- it for others. `bss-lua experiments/tour.lua` runs it as it stands.

-- %%
-- Two modalities, one strong and one weak; a part of the samples has a mismatched or corrupted modality, and we know which.
data = bss.data.synthetic{ samples = 1200 }
_ = data
--> synthetic: 1200 samples (720 train / 120 val / 360 test), 6 classes, 2 modalities
-->   strong  features [100], standardised on train
-->   weak    features [74], standardised on train
-->   240 samples with a mismatched or corrupted modality (known: data.truth)
-->   class   train     val    test
-->   0         120      20      60
-->   1         120      20      60
-->   2         120      20      60
-->   3         120      20      60
-->   4         120      20      60
-->   5         120      20      60
--= {"kind":"dataset","value":"synthetic: 1200 samples (720 train / 120 val / 360 test), 6 classes, 2 modalities\n  strong  features [100], standardised on train\n  weak    features [74], standardised on train\n  240 samples with a mismatched or corrupted modality (known: data.truth)\n  class   train     val    test\n  0         120      20      60\n  1         120      20      60\n  2         120      20      60\n  3         120      20      60\n  4         120      20      60\n  5         120      20      60"}

-- %%
function train(scheduler)
  return bss.train{
    data = data, epochs = 12, batch_size = 64, seed = 1, record = false, alpha = 0.2, scheduler = scheduler,
    optimizer = bss.optimizer.sgd{ learning_rate = 5e-2, momentum = 0.9 },
  }
end

-- %% [markdown]
-- ## Balance-aware sequences (BSS-H)
-- Each training sample gets a score: how well its modalities agree and are learned. A pace function says which share of the
-- samples, the balanced ones first, an epoch may use.

-- %%
run = train(bss.scheduler.heuristic{ pace = bss.pace.root{ lambda_0 = 0.3, t_grow = 6 } })
_ = run.result.last.test.total.accuracy
--> 0.90555555555556
--= {"kind":"number","value":0.9055555555555556}

-- %% tags=["no-check"]
_ = run:plot_scores()
-->                      balance scores of 720 training samples
--> count
--> 150 ┤                                                ▆▆▆▆▆
-->     │                                          ▁▁▁▁▁▁█████
-->     │                                          ███████████
-->     │                                     ████████████████
-->     │                                     ████████████████
--> 100 ┤                                     ████████████████▆▆▆▆▆
-->     │                                     █████████████████████
-->     │                                     █████████████████████
-->     │                                ▅▅▅▅▅█████████████████████
-->  50 ┤                                ██████████████████████████
-->     │                                ██████████████████████████▆▆▆▆▆
-->     │                          ▃▃▃▃▃▃███████████████████████████████
-->     │                     ▂▂▂▂▂█████████████████████████████████████▁▁▁▁▁▁
-->     │                ▇▇▇▇▇████████████████████████████████████████████████
-->   0 ┤▂▂▂▂▂▁▁▁▁▁▁▂▂▂▂▂█████████████████████████████████████████████████████▇▇▇▇▇
-->     └─────┬──────────┬─────────┬──────────┬─────────┬─────────┬──────────┬─────
-->         -0.4       -0.2       0.0        0.2       0.4       0.6        0.8
-->                                        score
--> lowest: 428 (5) -0.4916, 131 (3) -0.4285, 425 (5) -0.4005, 869 (2) -0.3134, 464
-->   (4) -0.2806
--> highest: 18 (4) 0.8696, 798 (3) 0.841, 614 (1) 0.8341, 884 (1) 0.8153, 975 (3)
-->   0.8135
--~ <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 402" width="640" height="402" font-family="Helvetica, Arial, sans-serif">
--~ <rect width="100%" height="100%" fill="white"/>
--~ <text x="339.00" y="24.00" text-anchor="middle" font-size="14">balance scores of 720 training samples</text>
--~ <line x1="58.00" y1="328.00" x2="620.00" y2="328.00" stroke="#dddddd"/>
--~ <text x="52.00" y="332.00" text-anchor="end" font-size="11">0</text>
--~ <line x1="58.00" y1="232.00" x2="620.00" y2="232.00" stroke="#dddddd"/>
--~ <text x="52.00" y="236.00" text-anchor="end" font-size="11">50</text>
--~ <line x1="58.00" y1="136.00" x2="620.00" y2="136.00" stroke="#dddddd"/>
--~ <text x="52.00" y="140.00" text-anchor="end" font-size="11">100</text>
--~ <line x1="58.00" y1="40.00" x2="620.00" y2="40.00" stroke="#dddddd"/>
--~ <text x="52.00" y="44.00" text-anchor="end" font-size="11">150</text>
--~ <line x1="98.14" y1="328.00" x2="98.14" y2="332.00" stroke="black"/>
--~ <text x="98.14" y="344.00" text-anchor="middle" font-size="11">-0.4</text>
--~ <line x1="178.43" y1="328.00" x2="178.43" y2="332.00" stroke="black"/>
--~ <text x="178.43" y="344.00" text-anchor="middle" font-size="11">-0.2</text>
--~ <line x1="258.71" y1="328.00" x2="258.71" y2="332.00" stroke="black"/>
--~ <text x="258.71" y="344.00" text-anchor="middle" font-size="11">0.0</text>
--~ <line x1="339.00" y1="328.00" x2="339.00" y2="332.00" stroke="black"/>
--~ <text x="339.00" y="344.00" text-anchor="middle" font-size="11">0.2</text>
--~ <line x1="419.29" y1="328.00" x2="419.29" y2="332.00" stroke="black"/>
--~ <text x="419.29" y="344.00" text-anchor="middle" font-size="11">0.4</text>
--~ <line x1="499.57" y1="328.00" x2="499.57" y2="332.00" stroke="black"/>
--~ <text x="499.57" y="344.00" text-anchor="middle" font-size="11">0.6</text>
--~ <line x1="579.86" y1="328.00" x2="579.86" y2="332.00" stroke="black"/>
--~ <text x="579.86" y="344.00" text-anchor="middle" font-size="11">0.8</text>
--~ <clipPath id="area-54-36-624-332"><rect x="54" y="36" width="570" height="296"/></clipPath>
--~ <g clip-path="url(#area-54-36-624-332)">
--~ <rect x="58.00" y="322.24" width="40.14" height="5.76" fill="#0072B2" stroke="white"/>
--~ <rect x="98.14" y="326.08" width="40.14" height="1.92" fill="#0072B2" stroke="white"/>
--~ <rect x="138.29" y="324.16" width="40.14" height="3.84" fill="#0072B2" stroke="white"/>
--~ <rect x="178.43" y="291.52" width="40.14" height="36.48" fill="#0072B2" stroke="white"/>
--~ <rect x="218.57" y="285.76" width="40.14" height="42.24" fill="#0072B2" stroke="white"/>
--~ <rect x="258.71" y="262.72" width="40.14" height="65.28" fill="#0072B2" stroke="white"/>
--~ <rect x="298.86" y="201.28" width="40.14" height="126.72" fill="#0072B2" stroke="white"/>
--~ <rect x="339.00" y="97.60" width="40.14" height="230.40" fill="#0072B2" stroke="white"/>
--~ <rect x="379.14" y="76.48" width="40.14" height="251.52" fill="#0072B2" stroke="white"/>
--~ <rect x="419.29" y="45.76" width="40.14" height="282.24" fill="#0072B2" stroke="white"/>
--~ <rect x="459.43" y="139.84" width="40.14" height="188.16" fill="#0072B2" stroke="white"/>
--~ <rect x="499.57" y="237.76" width="40.14" height="90.24" fill="#0072B2" stroke="white"/>
--~ <rect x="539.71" y="287.68" width="40.14" height="40.32" fill="#0072B2" stroke="white"/>
--~ <rect x="579.86" y="310.72" width="40.14" height="17.28" fill="#0072B2" stroke="white"/>
--~ </g>
--~ <line x1="58.00" y1="328.00" x2="620.00" y2="328.00" stroke="black"/>
--~ <line x1="58.00" y1="40.00" x2="58.00" y2="328.00" stroke="black"/>
--~ <text x="339.00" y="364.00" text-anchor="middle" font-size="12">score</text>
--~ <text x="16.00" y="184.00" text-anchor="middle" font-size="12" transform="rotate(-90 16.00 184.00)">count</text>
--~ <text x="620.00" y="383.00" text-anchor="end" font-size="10">lowest: 428 (5) -0.4916, 131 (3) -0.4285, 425 (5) -0.4005, 869 (2) -0.3134, 464 (4) -0.2806</text>
--~ <text x="620.00" y="396.00" text-anchor="end" font-size="10">highest: 18 (4) 0.8696, 798 (3) 0.841, 614 (1) 0.8341, 884 (1) 0.8153, 975 (3) 0.8135</text>
--~ </svg>
--= {"kind":"figure","value":"series,from,to,count\n,-0.5,-0.4,3\n,-0.4,-0.30000000000000004,1\n,-0.30000000000000004,-0.2,2\n,-0.2,-0.1,19\n,-0.1,0,22\n,0,0.1,34\n,0.1,0.2,66\n,0.2,0.30000000000000004,120\n,0.30000000000000004,0.4,131\n,0.4,0.5,147\n,0.5,0.6000000000000001,98\n,0.6000000000000001,0.7000000000000001,47\n,0.7000000000000001,0.8,21\n,0.8,0.9,9\n"}

-- %% tags=["no-check"]
-- The least and the most balanced samples, the case study of Fig. 4: is a defect known of them?
ends, defects = run:extremes{ count = 20 }, data.train.truth.defect
function defective(list)
  local count = 0
  for _, sample in ipairs(list) do count = count + (defects[sample.position] ~= "none" and 1 or 0) end
  return count
end
print("with a known defect, of 20: " .. defective(ends.lowest) .. " of the lowest, " .. defective(ends.highest) .. " of the highest")
_ = defective(ends.lowest) > defective(ends.highest)
--> with a known defect, of 20: 7 of the lowest, 6 of the highest
--= {"kind":"text"}
--> true
--= {"kind":"boolean","value":true}

-- %% [markdown]
-- ## Another pace
-- Any Lua function will do.

-- %%
slow = bss.pace.custom(function(t) return math.min(1, 0.2 + 0.1 * t) end)
_ = slow:curve(12)
--> { 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.0, 1.0, 1.0 }
--= {"kind":"table","value":[0.2,0.30000000000000004,0.4,0.5,0.6000000000000001,0.7,0.8,0.9000000000000001,1.0,1.0,1.0,1.0]}

-- %%
other = train(bss.scheduler.heuristic{ pace = slow })
_ = { slow = other.result.last.test.total.accuracy, root = run.result.last.test.total.accuracy }
--> { root = 0.90555555555556, slow = 0.9 }
--= {"kind":"table","value":{"list":[],"fields":{"root":0.9055555555555556,"slow":0.9}}}

-- %% tags=["no-check"]
_ = run:plot{ "test.total.accuracy", with = { other }, names = { "root", "slow" } }
--> total accuracy
--> 1.0 ┤
-->     │                                ⢀⣀⣀⣀⣀⠤⠤⠤●⠤⠤⠤⠤⠤⢤○⣤⣤⣤⣤⣤●⣤⣤⣤⣤⣤⣤○⣤⣤⡤⠤⠤⠤●⠤⠤⠤⠤⠤●
-->     │                         ⢀●⠤⠒⠒⠉⠉⠁       ⣀⠤⠤⠒⠊⠉⠁
--> 0.8 ┤                      ⢀⠤⠊⠁          ⣀⠤⠒⠉
-->     │                   ⢀⠔⠊⠁        ⢀⣀○⠒⠉
-->     │                ⢀⡠⠊⠁      ⢀⡠⠤⠒⠉⠁
--> 0.6 ┤              ⡠⠔⠁       ⡠⠒⠁
-->     │            ⡠●       ⣀⠔⠉
--> 0.4 ┤          ⢀⠔⠁     ⢀⠤○
-->     │        ⢀⠔⠁    ⢀⡠⠊⠁
-->     │       ⡠⠊   ⣀⠤⠒⠁
--> 0.2 ┤  ⣀⡠⠤⠒⠉⢀⡠⠔⠒⠉
-->     │●⠛⠒⠊⠉⠉○⠁
-->     │
--> 0.0 ┤
-->     └───────┬────────────┬────────────┬────────────┬─────────────┬────────────┬
-->             2            4            6            8            10           12
-->                                        epoch
-->      ● root: test   ○ slow: test
--~ <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 394" width="640" height="394" font-family="Helvetica, Arial, sans-serif">
--~ <rect width="100%" height="100%" fill="white"/>
--~ <line x1="58.00" y1="328.00" x2="620.00" y2="328.00" stroke="#dddddd"/>
--~ <text x="52.00" y="332.00" text-anchor="end" font-size="11">0.0</text>
--~ <line x1="58.00" y1="266.40" x2="620.00" y2="266.40" stroke="#dddddd"/>
--~ <text x="52.00" y="270.40" text-anchor="end" font-size="11">0.2</text>
--~ <line x1="58.00" y1="204.80" x2="620.00" y2="204.80" stroke="#dddddd"/>
--~ <text x="52.00" y="208.80" text-anchor="end" font-size="11">0.4</text>
--~ <line x1="58.00" y1="143.20" x2="620.00" y2="143.20" stroke="#dddddd"/>
--~ <text x="52.00" y="147.20" text-anchor="end" font-size="11">0.6</text>
--~ <line x1="58.00" y1="81.60" x2="620.00" y2="81.60" stroke="#dddddd"/>
--~ <text x="52.00" y="85.60" text-anchor="end" font-size="11">0.8</text>
--~ <line x1="58.00" y1="20.00" x2="620.00" y2="20.00" stroke="#dddddd"/>
--~ <text x="52.00" y="24.00" text-anchor="end" font-size="11">1.0</text>
--~ <line x1="109.09" y1="328.00" x2="109.09" y2="332.00" stroke="black"/>
--~ <text x="109.09" y="344.00" text-anchor="middle" font-size="11">2</text>
--~ <line x1="211.27" y1="328.00" x2="211.27" y2="332.00" stroke="black"/>
--~ <text x="211.27" y="344.00" text-anchor="middle" font-size="11">4</text>
--~ <line x1="313.45" y1="328.00" x2="313.45" y2="332.00" stroke="black"/>
--~ <text x="313.45" y="344.00" text-anchor="middle" font-size="11">6</text>
--~ <line x1="415.64" y1="328.00" x2="415.64" y2="332.00" stroke="black"/>
--~ <text x="415.64" y="344.00" text-anchor="middle" font-size="11">8</text>
--~ <line x1="517.82" y1="328.00" x2="517.82" y2="332.00" stroke="black"/>
--~ <text x="517.82" y="344.00" text-anchor="middle" font-size="11">10</text>
--~ <line x1="620.00" y1="328.00" x2="620.00" y2="332.00" stroke="black"/>
--~ <text x="620.00" y="344.00" text-anchor="middle" font-size="11">12</text>
--~ <clipPath id="area-54-16-624-332"><rect x="54" y="16" width="570" height="316"/></clipPath>
--~ <g clip-path="url(#area-54-16-624-332)">
--~ <polyline points="58.00,274.10 109.09,251.00 160.18,168.01 211.27,112.40 262.36,73.90 313.45,55.08 364.55,50.80 415.64,52.51 466.73,54.22 517.82,54.22 568.91,50.80 620.00,49.09" fill="none" stroke="#0072B2" stroke-width="2" stroke-linejoin="round"/>
--~ <circle cx="58.00" cy="274.10" r="3" fill="#0072B2"/>
--~ <circle cx="109.09" cy="251.00" r="3" fill="#0072B2"/>
--~ <circle cx="160.18" cy="168.01" r="3" fill="#0072B2"/>
--~ <circle cx="211.27" cy="112.40" r="3" fill="#0072B2"/>
--~ <circle cx="262.36" cy="73.90" r="3" fill="#0072B2"/>
--~ <circle cx="313.45" cy="55.08" r="3" fill="#0072B2"/>
--~ <circle cx="364.55" cy="50.80" r="3" fill="#0072B2"/>
--~ <circle cx="415.64" cy="52.51" r="3" fill="#0072B2"/>
--~ <circle cx="466.73" cy="54.22" r="3" fill="#0072B2"/>
--~ <circle cx="517.82" cy="54.22" r="3" fill="#0072B2"/>
--~ <circle cx="568.91" cy="50.80" r="3" fill="#0072B2"/>
--~ <circle cx="620.00" cy="49.09" r="3" fill="#0072B2"/>
--~ <polyline points="58.00,273.24 109.09,269.82 160.18,240.73 211.27,192.82 262.36,139.78 313.45,114.11 364.55,76.47 415.64,55.93 466.73,50.80 517.82,52.51 568.91,50.80 620.00,50.80" fill="none" stroke="#D55E00" stroke-width="2" stroke-linejoin="round"/>
--~ <circle cx="58.00" cy="273.24" r="3" fill="#D55E00"/>
--~ <circle cx="109.09" cy="269.82" r="3" fill="#D55E00"/>
--~ <circle cx="160.18" cy="240.73" r="3" fill="#D55E00"/>
--~ <circle cx="211.27" cy="192.82" r="3" fill="#D55E00"/>
--~ <circle cx="262.36" cy="139.78" r="3" fill="#D55E00"/>
--~ <circle cx="313.45" cy="114.11" r="3" fill="#D55E00"/>
--~ <circle cx="364.55" cy="76.47" r="3" fill="#D55E00"/>
--~ <circle cx="415.64" cy="55.93" r="3" fill="#D55E00"/>
--~ <circle cx="466.73" cy="50.80" r="3" fill="#D55E00"/>
--~ <circle cx="517.82" cy="52.51" r="3" fill="#D55E00"/>
--~ <circle cx="568.91" cy="50.80" r="3" fill="#D55E00"/>
--~ <circle cx="620.00" cy="50.80" r="3" fill="#D55E00"/>
--~ </g>
--~ <line x1="58.00" y1="328.00" x2="620.00" y2="328.00" stroke="black"/>
--~ <line x1="58.00" y1="20.00" x2="58.00" y2="328.00" stroke="black"/>
--~ <text x="339.00" y="364.00" text-anchor="middle" font-size="12">epoch</text>
--~ <text x="16.00" y="174.00" text-anchor="middle" font-size="12" transform="rotate(-90 16.00 174.00)">total accuracy</text>
--~ <rect x="58.00" y="377.00" width="14.00" height="10.00" fill="#0072B2"/>
--~ <text x="78.00" y="386.00" text-anchor="start" font-size="12">root: test</text>
--~ <rect x="245.33" y="377.00" width="14.00" height="10.00" fill="#D55E00"/>
--~ <text x="265.33" y="386.00" text-anchor="start" font-size="12">slow: test</text>
--~ </svg>
--= {"kind":"figure","value":"series,x,y,low,high\nroot: test,1,0.175,,\nroot: test,2,0.25,,\nroot: test,3,0.5194444444444445,,\nroot: test,4,0.7,,\nroot: test,5,0.825,,\nroot: test,6,0.8861111111111111,,\nroot: test,7,0.9,,\nroot: test,8,0.8944444444444445,,\nroot: test,9,0.8888888888888888,,\nroot: test,10,0.8888888888888888,,\nroot: test,11,0.9,,\nroot: test,12,0.9055555555555556,,\nslow: test,1,0.17777777777777778,,\nslow: test,2,0.18888888888888888,,\nslow: test,3,0.2833333333333333,,\nslow: test,4,0.4388888888888889,,\nslow: test,5,0.6111111111111112,,\nslow: test,6,0.6944444444444444,,\nslow: test,7,0.8166666666666667,,\nslow: test,8,0.8833333333333333,,\nslow: test,9,0.9,,\nslow: test,10,0.8944444444444445,,\nslow: test,11,0.9,,\nslow: test,12,0.9,,\n"}
