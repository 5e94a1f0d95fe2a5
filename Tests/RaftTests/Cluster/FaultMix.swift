/// What may go wrong in one run, drawn from its seed: each kind of fault is on or off, so that some runs are dense in few of them.
struct FaultMix {
    var drop = 0
    var duplicate = 0
    var delayMax = 5
    var longDelay = 0
    var crash = 0
    var pause = 0
    var partition = 0
    var diskMax = 4
    var diskHang = 0
    var damage = 0
    var membership = 0
    var transfer = 0
    var usesLeases = false
    var nodeCount = 3

    init(rng: inout SplitMix) {
        nodeCount = rng.pick([1, 2, 3, 3, 3, 4, 5, 5]) ?? 3
        if rng.chance(500) { drop = rng.within(5...250) }
        if rng.chance(400) { duplicate = rng.within(5...200) }
        delayMax = rng.pick([2, 5, 10, 30]) ?? 5
        if rng.chance(300) { longDelay = rng.within(1...50) }
        if rng.chance(600) { crash = rng.within(2...25) }
        if rng.chance(300) { pause = rng.within(2...15) }
        if rng.chance(500) { partition = rng.within(2...20) }
        diskMax = rng.pick([1, 4, 15, 40]) ?? 4
        if rng.chance(200) { diskHang = rng.within(1...8) }
        if rng.chance(250) { damage = 500 }
        if rng.chance(500) { membership = rng.within(10...80) }
        if rng.chance(400) { transfer = rng.within(5...40) }
        usesLeases = rng.chance(300)
    }
}
