import BSSCodecs
import Foundation
import Testing

/// Recordings that libsndfile reads: 0.06 s of 0.5 sin(2π 440 t) at 8000 Hz, made with it (python-soundfile).
@Suite struct CompressedSoundTests {
    /// Two channels, the second half as loud: their mean is 0.75 of the first.
    static let flac = """
        ZkxhQwAAACIQABAAAAHFAAHFAfQC8AAAAeAs/38Md5epgicwhkJfZHnQhAAAKCAAAAByZWZlcmVuY2UgbGliRkxBQyAxLjQuMyAyMDIzMDYyMw\
        AAAAD/+HQYAAHf9EwAABWuKMw3Fj7e
        PzY4FbSzPQJ4iZUKjn2IUAISFKNkP6FCFBFk9oetEhEFES5x/RQJCIS1mh+TISEFCJaNG1GEiEgSIqNM5qQQsERJNNo8sRCgRRXPNfEhIIiS0O\
        e4ogoERYtzNPigoIUgjtw70goQSFKN
        kP6FCFBFk9oetEhEFES5x/RQJCIS1mh+TISEFCJaNG1GEiEgSIqNM5qQQsERJNNo8sRCgRRXPNfEhIIiS0Oe4ogoERYtzNPigoIUgjtw70goQS\
        FKNkP6FCFBFk9oetEhEFES5x/RQJCI
        S1mh+TISEEkAAAFa4ozDcWPt9pXzrU7bPg5xAGWjnryFECioR0ZGiYSIhJFrc2skhIhSTT+4mCSCgrEc2TYkkChSV85qKCQiiLaxrSYSQWFYjv\
        dZRCQhRdO2qFCIkSxDo0aJhIQsQnUN
        NUiJCQpaOevIUQKKhHRkaJhIiEkWtzaySEiFJNP7iYJIKCsRzZNiSQKFJXzmooJCKItrGtJhJBYViO91lEJCFF07aoUIiRLEOjRomEhCxCdQ01\
        SIkJClo568hRAoqEdGRomEiISRa3Nr
        JISIUk0/uJgkgoKwv+A=
        """
    static let ogg = """
        T2dnUwACAAAAAAAAAAA0aJkZAAAAAPjjvd4BHgF2b3JiaXMAAAAAAUAfAAAAAAAAcGIAAAAAAACZAU9nZ1MAAAAAAAAAAAAANGiZGQEAAAD/8m\
        NZC1r///////////+1A3ZvcmJpczQA
        AABYaXBoLk9yZyBsaWJWb3JiaXMgSSAyMDIwMDcwNCAoUmVkdWNpbmcgRW52aXJvbm1lbnQpAQAAABIAAABFTkNPREVSPWxpYnNuZGZpbGUBBX\
        ZvcmJpcxJCQ1YBAAABAAxSFCElGVNK
        YwiVUlIpBR1jUFtHHWPUOUYhZBBTiEkZpXtPKpVYSsgRUlgpRR1TTFNJlVKWKUUdYxRTSCFT1jFloXMUS4ZJCSVsTa50FkvomWOWMUYdY85aSp\
        1j1jFFHWNSUkmhcxg6ZiVkFDpGxehi
        fDA6laJCKL7H3lLpLYWKW4q91xpT6y2EGEtpwQhhc+211dxKasUYY4wxxsXiUyiC0JBVAAABAABABAFCQ1YBAAoAAMJQDEVRgNCQVQBABgCAAB\
        RFcRTHcRxHkiTLAkJDVgEAQAAAAgAA
        KI7hKJIjSZJkWZZlWZameZaouaov+64u667t6roOhIasBADIAAAYhiGH3knMkFOQSSYpVcw5CKH1DjnlFGTSUsaYYoxRzpBTDDEFMYbQKYUQ1E\
        45pQwiCENInWTOIEs96OBi5zgQGrIi
        AIgCAACMQYwhxpBzDEoGIXKOScggRM45KZ2UTEoorbSWSQktldYi55yUTkompbQWUsuklNZCKwUAAAQ4AAAEWAiFhqwIAKIAABCDkFJIKcSUYk\
        4xh5RSjinHkFLMOcWYcowx6CBUzDHI
        HIRIKcUYc0455iBkDCrmHIQMMgEAAAEOAAABFkKhISsCgDgBAIMkaZqlaaJoaZooeqaoqqIoqqrleabpmaaqeqKpqqaquq6pqq5seZ5peqaoqp\
        4pqqqpqq5rqqrriqpqy6ar2rbpqrbs
        yrJuu7Ks256qyrapurJuqq5tu7Js664s27rkearqmabreqbpuqrr2rLqurLtmabriqor26bryrLryratyrKua6bpuqKr2q6purLtyq5tu7Ks+6\
        br6rbqyrquyrLu27au+7KtC7vourau
        yq6uq7Ks67It67Zs20LJ81TVM03X9UzTdVXXtW3VdW1bM03XNV1XlkXVdWXVlXVddWVb90zTdU1XlWXTVWVZlWXddmVXl0XXtW1Vln1ddWVfl2\
        3d92VZ133TdXVblWXbV2VZ92Vd94VZ
        t33dU1VbN11X103X1X1b131htm3fF11X11XZ1oVVlnXf1n1lmHWdMLqurqu27OuqLOu+ruvGMOu6MKy6bfyurQvDq+vGseu+rty+j2rbvvDqtj\
        G8um4cu7Abv+37xrGpqm2brqvrpivr
        umzrvm/runGMrqvrqiz7uurKvm/ruvDrvi8Mo+vquirLurDasq/Lui4Mu64bw2rbwu7aunDMsi4Mt+8rx68LQ9W2heHVdaOr28ZvC8PSN3a+AA\
        CAAQcAgAATykChISsCgDgBAAYhCBVj
        ECrGIIQQUgohpFQxBiFjDkrGHJQQSkkhlNIqxiBkjknIHJMQSmiplNBKKKWlUEpLoZTWUmotptRaDKG0FEpprZTSWmopttRSbBVjEDLnpGSOSS\
        iltFZKaSlzTErGoKQOQiqlpNJKSa1l
        zknJoKPSOUippNJSSam1UEproZTWSkqxpdJKba3FGkppLaTSWkmptdRSba21WiPGIGSMQcmck1JKSamU0lrmnJQOOiqZg5JKKamVklKsmJPSQS\
        glg4xKSaW1kkoroZTWSkqxhVJaa63V
        mFJLNZSSWkmpxVBKa621GlMrNYVQUgultBZKaa21VmtqLbZQQmuhpBZLKjG1FmNtrcUYSmmtpBJbKanFFluNrbVYU0s1lpJibK3V2EotOdZaa0\
        ot1tJSjK21mFtMucVYaw0ltBZKaa2U
        0lpKrcXWWq2hlNZKKrGVklpsrdXYWow1lNJiKSm1kEpsrbVYW2w1ppZibLHVWFKLMcZYc0u11ZRai621WEsrNcYYa2415VIAAMCAAwBAgAlloN\
        CQlQBAFAAAYAxjjEFoFHLMOSmNUs45
        JyVzDkIIKWXOQQghpc45CKW01DkHoZSUQikppRRbKCWl1losAACgwAEAIMAGTYnFAQoNWQkARAEAIMYoxRiExiClGIPQGKMUYxAqpRhzDkKlFG\
        POQcgYc85BKRljzkEnJYQQQimlhBBC
        KKWUAgAAChwAAAJs0JRYHKDQkBUBQBQAAGAMYgwxhiB0UjopEYRMSielkRJaCylllkqKJcbMWomtxNhICa2F1jJrJcbSYkatxFhiKgAA7MABAO\
        zAQig0ZCUAkAcAQBijFGPOOWcQYsw5
        CCE0CDHmHIQQKsaccw5CCBVjzjkHIYTOOecghBBC55xzEEIIoYMQQgillNJBCCGEUkrpIIQQQimldBBCCKGUUgoAACpwAAAIsFFkc4KRoEJDVg\
        IAeQAAgDFKOSclpUYpxiCkFFujFGMQ
        UmqtYgxCSq3FWDEGIaXWYuwgpNRajLV2EFJqLcZaQ0qtxVhrziGl1mKsNdfUWoy15tx7ai3GWnPOuQAA3AUHALADG0U2JxgJKjRkJQCQBwBAIK\
        QUY4w5h5RijDHnnENKMcaYc84pxhhz
        zjnnFGOMOeecc4wx55xzzjnGmHPOOeecc84556CDkDnnnHPQQeicc845CCF0zjnnHIQQCgAAKnAAAAiwUWRzgpGgQkNWAgDhAACAMZRSSimllF\
        JKqKOUUkoppZRSAiGllFJKKaWUUkop
        pZRSSimllFJKKaWUUkoppZRSSimllFJKKaWUUkoppZRSSimllFJKKaWUUkoppZRSSimllFJKKaWUUkoppZRSSimllFJKKaWUUkoppZRSSimllF\
        JKKaWUUkoppZRSSimVUkoppZRSSiml
        lFJKKaUAIN8KBwD/BxtnWEk6KxwNLjRkJQAQDgAAGMMYhIw5JyWlhjEIpXROSkklNYxBKKVzElJKKYPQWmqlpNJSShmElGILIZWUWgqltFZrKa\
        m1lFIoKcUaS0qppdYy5ySkklpLrbaY
        OQelpNZaaq3FEEJKsbXWUmuxdVJSSa211lptLaSUWmstxtZibCWlllprqcXWWkyptRZbSy3G1mJLrcXYYosxxhoLAOBucACASLBxhpWks8LR4E\
        JDVgIAIQEABDJKOeecgxBCCCFSijHn
        oIMQQgghREox5pyDEEIIIYSMMecghBBCCKGUkDHmHIQQQgghhFI65yCEUEoJpZRSSucchBBCCKWUUkoJIYQQQiillFJKKSGEEEoppZRSSiklhB\
        BCKKWUUkoppYQQQiillFJKKaWUEEIo
        pZRSSimllBJCCKGUUkoppZRSQgillFJKKaWUUkooIYRSSimllFJKCSWUUkoppZRSSikhlFJKKaWUUkoppQAAgAMHAIAAI+gko8oibDThwgMQAA\
        AAAgACTACBAYKCUQgChBEIAAAAAAAI
        APgAAEgKgIiIaOYMDhASFBYYGhweICIkAAAAAAAAAAAAAAAABE9nZ1MABOABAAAAAAAANGiZGQIAAABQ5mxxAxgVIpqZmbfKKwD4p8kAAJBCKi\
        mf7rJun8muCKaamXM3XgHAd1UAAABg
        Iynkxfa2BprPUFlZ5gEAAJAAADg5BcAlqT6LrH5L1203zqrhK3MflAE=
        """

    private func bytes(_ text: String) throws -> [UInt8] {
        [UInt8](try #require(Data(base64Encoded: text.filter { !$0.isWhitespace })))
    }

    private func largestError(_ sound: Sound, scale: Double) -> Double {
        sound.mono.enumerated().map { abs(Double($1) - scale * 0.5 * sin(2 * Double.pi * 440 * Double($0) / 8000)) }
            .max() ?? .infinity
    }

    @Test func flacIsExactToItsSixteenBits() throws {
        let sound = try Sound(bytes: bytes(Self.flac), source: "tone.flac")
        #expect(sound.sampleRate == 8000 && sound.mono.count == 480)
        #expect(largestError(sound, scale: 0.75) < 2.0 / 32768)
    }

    @Test func oggIsCloseToTheTone() throws {
        let sound = try Sound(bytes: bytes(Self.ogg), source: "tone.ogg")
        #expect(sound.sampleRate == 8000 && sound.mono.count == 480)
        #expect(largestError(sound, scale: 1) < 0.05)
    }

    @Test func damageIsNamed() throws {
        for text in [Self.flac, Self.ogg] {
            let whole = try bytes(text)
            for length in [0, 3, 20, 60] {
                do {
                    let sound = try Sound(bytes: Array(whole.prefix(length)), source: "tone.x")
                    #expect(sound.mono.count < 480)
                } catch { #expect("\(error)".contains("tone.x"), "\(error)") }
            }
        }
    }
}
