package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.sys.Cpuid.Feature;

/**
 * AES-256 (FIPS 197) in counter mode (SP 800-38A §6.5) and as BCC (SP 800-90Ar1 §10.3.3) by the AES instructions of x86-64: no table that a neighbour
 * could watch, and no garbage. Keys, counters and output lie in memory of the caller's, which must not be a guest's: it
 * would be fatal if that went away meanwhile. Any thread, as long as each uses memory of its own.
 */
public final class CpuAes {
    /** The two forms in which a processor may have them. */
    public enum Instruction {
        /** One block to a register. */
        AES_NI(KEYSTREAM),
        /** Two blocks to a register. */
        VAES(WIDE_KEYSTREAM + KEYSTREAM);

        private final String keystream;

        Instruction(String keystream) {
            this.keystream = keystream;
        }
    }

    /**
     * A key and a counter, ready for use: 15 round keys, then the next counter, most significant byte first, or the
     * chaining value.
     */
    public static final int STATE_BYTES = 256;

    /** Where in a state the counter or the chaining value is. */
    public static final int COUNTER_OFFSET = 240;

    public static final int KEY_BYTES = 32;
    public static final int BLOCK_BYTES = 16;

    /**
     * {@code void expand(const char *rdi, char *rsi)}: KeyExpansion of FIPS 197 §5.2, from 32 bytes to 240.
     * AESENCLAST is ShiftRows, SubBytes and XOR; ShiftRows moves nothing where all columns are equal, so that what is
     * left of it is SubWord.
     */
    private static final String EXPAND = """
                            ; -- xmm4: bytes 13, 14, 15, 12 of a register to each column, RotWord of the last word
            b8 0d 0e 0f 0c  ;        mov        eax, 0x0c0f0e0d
            66 0f 6e e0     ;        movd       xmm4, eax
            66 0f 70 e4 00  ;        pshufd     xmm4, xmm4, 0
                            ; -- xmm5: Rcon[1] in each column; doubled later, up to Rcon[7]
            b9 01 00 00 00  ;        mov        ecx, 1
            66 0f 6e e9     ;        movd       xmm5, ecx
            66 0f 70 ed 00  ;        pshufd     xmm5, xmm5, 0
            66 0f ef f6     ;        pxor       xmm6, xmm6
                            ; -- w[0..3] and w[4..7] are the key
            0f 10 07        ;        movups     xmm0, [rdi]
            0f 10 4f 10     ;        movups     xmm1, [rdi + 16]
            0f 11 06        ;        movups     [rsi], xmm0
            0f 11 4e 10     ;        movups     [rsi + 16], xmm1
                            ; -- seven times four words, and in between six times four
            b9 07 00 00 00  ;        mov        ecx, 7
                            ; -- SubWord(RotWord(w[i-1])) xor Rcon[i/8]
            0f 28 d1        ; again: movaps     xmm2, xmm1
            66 0f 38 00 d4  ;        pshufb     xmm2, xmm4
            66 0f 38 dd d5  ;        aesenclast xmm2, xmm5
            66 0f 72 f5 01  ;        pslld      xmm5, 1
                            ; -- w[i] = w[i-8] xor w[i-1]: each column is the sum of those before it
            0f 28 d8        ;        movaps     xmm3, xmm0
            66 0f 73 fb 04  ;        pslldq     xmm3, 4
            66 0f ef c3     ;        pxor       xmm0, xmm3
            66 0f 73 fb 04  ;        pslldq     xmm3, 4
            66 0f ef c3     ;        pxor       xmm0, xmm3
            66 0f 73 fb 04  ;        pslldq     xmm3, 4
            66 0f ef c3     ;        pxor       xmm0, xmm3
            66 0f ef c2     ;        pxor       xmm0, xmm2
            48 83 c6 20     ;        add        rsi, 32
            0f 11 06        ;        movups     [rsi], xmm0
            ff c9           ;        dec        ecx
            74 32           ;        jz         wipe
                            ; -- SubWord(w[i-1])
            66 0f 70 d0 ff  ;        pshufd     xmm2, xmm0, 0xff
            66 0f 38 dd d6  ;        aesenclast xmm2, xmm6
            0f 28 d9        ;        movaps     xmm3, xmm1
            66 0f 73 fb 04  ;        pslldq     xmm3, 4
            66 0f ef cb     ;        pxor       xmm1, xmm3
            66 0f 73 fb 04  ;        pslldq     xmm3, 4
            66 0f ef cb     ;        pxor       xmm1, xmm3
            66 0f 73 fb 04  ;        pslldq     xmm3, 4
            66 0f ef cb     ;        pxor       xmm1, xmm3
            66 0f ef ca     ;        pxor       xmm1, xmm2
            0f 11 4e 10     ;        movups     [rsi + 16], xmm1
            eb 8f           ;        jmp        again
                            ; -- nothing of the key stays in registers
            66 0f ef c0     ; wipe:  pxor       xmm0, xmm0
            66 0f ef c9     ;        pxor       xmm1, xmm1
            66 0f ef d2     ;        pxor       xmm2, xmm2
            66 0f ef db     ;        pxor       xmm3, xmm3
            c3              ;        ret
            """;

    /**
     * {@code void keystream(char *rdi, char *rsi, long rdx)}: rdx blocks to rsi by the state at rdi, whose counter goes
     * on by as many, over all of its 128 bits.
     */
    private static final String KEYSTREAM = """
                                           ; -- r8, r9: the counter
            4c 8b 87 f0 00 00 00           ;         mov        r8, [rdi + 240]
            49 0f c8                       ;         bswap      r8
            4c 8b 8f f8 00 00 00           ;         mov        r9, [rdi + 248]
            49 0f c9                       ;         bswap      r9
                                           ; -- the last round key
            48 8d 8f e0 00 00 00           ;         lea        rcx, [rdi + 224]
                                           ; -- xmm10: a register's bytes from last to first
            48 b8 0f 0e 0d 0c 0b 0a 09 08  ;         mov        rax, 0x08090a0b0c0d0e0f
            66 4c 0f 6e d0                 ;         movq       xmm10, rax
            48 b8 07 06 05 04 03 02 01 00  ;         mov        rax, 0x0001020304050607
            66 4c 0f 6e c8                 ;         movq       xmm9, rax
            66 45 0f 6c d1                 ;         punpcklqdq xmm10, xmm9
                                           ; -- xmm11: one
            b8 01 00 00 00                 ;         mov        eax, 1
            66 44 0f 6e d8                 ;         movd       xmm11, eax
                                           ; -- eight at once if as many are wanted and the lower half does not overflow
            48 83 fa 08                    ; next:   cmp        rdx, 8
            0f 82 62 01 00 00              ;         jb         few
            49 83 f9 f8                    ;         cmp        r9, -8
            0f 83 5d 01 00 00              ;         jae        one
                                           ; -- xmm9: the counter, lower half first
            66 4d 0f 6e c9                 ;         movq       xmm9, r9
            66 4d 0f 6e c0                 ;         movq       xmm8, r8
            66 45 0f 6c c8                 ;         punpcklqdq xmm9, xmm8
            49 83 c1 08                    ;         add        r9, 8
                                           ; -- eight counters, each xor the first round key
            44 0f 10 07                    ;         movups     xmm8, [rdi]
            41 0f 28 c1                    ;         movaps     xmm0, xmm9
            66 41 0f 38 00 c2              ;         pshufb     xmm0, xmm10
            66 41 0f ef c0                 ;         pxor       xmm0, xmm8
            66 45 0f d4 cb                 ;         paddq      xmm9, xmm11
            41 0f 28 c9                    ;         movaps     xmm1, xmm9
            66 41 0f 38 00 ca              ;         pshufb     xmm1, xmm10
            66 41 0f ef c8                 ;         pxor       xmm1, xmm8
            66 45 0f d4 cb                 ;         paddq      xmm9, xmm11
            41 0f 28 d1                    ;         movaps     xmm2, xmm9
            66 41 0f 38 00 d2              ;         pshufb     xmm2, xmm10
            66 41 0f ef d0                 ;         pxor       xmm2, xmm8
            66 45 0f d4 cb                 ;         paddq      xmm9, xmm11
            41 0f 28 d9                    ;         movaps     xmm3, xmm9
            66 41 0f 38 00 da              ;         pshufb     xmm3, xmm10
            66 41 0f ef d8                 ;         pxor       xmm3, xmm8
            66 45 0f d4 cb                 ;         paddq      xmm9, xmm11
            41 0f 28 e1                    ;         movaps     xmm4, xmm9
            66 41 0f 38 00 e2              ;         pshufb     xmm4, xmm10
            66 41 0f ef e0                 ;         pxor       xmm4, xmm8
            66 45 0f d4 cb                 ;         paddq      xmm9, xmm11
            41 0f 28 e9                    ;         movaps     xmm5, xmm9
            66 41 0f 38 00 ea              ;         pshufb     xmm5, xmm10
            66 41 0f ef e8                 ;         pxor       xmm5, xmm8
            66 45 0f d4 cb                 ;         paddq      xmm9, xmm11
            41 0f 28 f1                    ;         movaps     xmm6, xmm9
            66 41 0f 38 00 f2              ;         pshufb     xmm6, xmm10
            66 41 0f ef f0                 ;         pxor       xmm6, xmm8
            66 45 0f d4 cb                 ;         paddq      xmm9, xmm11
            41 0f 28 f9                    ;         movaps     xmm7, xmm9
            66 41 0f 38 00 fa              ;         pshufb     xmm7, xmm10
            66 41 0f ef f8                 ;         pxor       xmm7, xmm8
            66 45 0f d4 cb                 ;         paddq      xmm9, xmm11
            48 8d 47 10                    ;         lea        rax, [rdi + 16]
                                           ; -- rounds 1 to 13
            44 0f 10 00                    ; rounds: movups     xmm8, [rax]
            66 41 0f 38 dc c0              ;         aesenc     xmm0, xmm8
            66 41 0f 38 dc c8              ;         aesenc     xmm1, xmm8
            66 41 0f 38 dc d0              ;         aesenc     xmm2, xmm8
            66 41 0f 38 dc d8              ;         aesenc     xmm3, xmm8
            66 41 0f 38 dc e0              ;         aesenc     xmm4, xmm8
            66 41 0f 38 dc e8              ;         aesenc     xmm5, xmm8
            66 41 0f 38 dc f0              ;         aesenc     xmm6, xmm8
            66 41 0f 38 dc f8              ;         aesenc     xmm7, xmm8
            48 83 c0 10                    ;         add        rax, 16
            48 39 c8                       ;         cmp        rax, rcx
            72 c3                          ;         jb         rounds
                                           ; -- round 14
            44 0f 10 01                    ;         movups     xmm8, [rcx]
            66 41 0f 38 dd c0              ;         aesenclast xmm0, xmm8
            66 41 0f 38 dd c8              ;         aesenclast xmm1, xmm8
            66 41 0f 38 dd d0              ;         aesenclast xmm2, xmm8
            66 41 0f 38 dd d8              ;         aesenclast xmm3, xmm8
            66 41 0f 38 dd e0              ;         aesenclast xmm4, xmm8
            66 41 0f 38 dd e8              ;         aesenclast xmm5, xmm8
            66 41 0f 38 dd f0              ;         aesenclast xmm6, xmm8
            66 41 0f 38 dd f8              ;         aesenclast xmm7, xmm8
            0f 11 06                       ;         movups     [rsi], xmm0
            0f 11 4e 10                    ;         movups     [rsi + 16], xmm1
            0f 11 56 20                    ;         movups     [rsi + 32], xmm2
            0f 11 5e 30                    ;         movups     [rsi + 48], xmm3
            0f 11 66 40                    ;         movups     [rsi + 64], xmm4
            0f 11 6e 50                    ;         movups     [rsi + 80], xmm5
            0f 11 76 60                    ;         movups     [rsi + 96], xmm6
            0f 11 7e 70                    ;         movups     [rsi + 112], xmm7
            48 83 ee 80                    ;         sub        rsi, -128
            48 83 ea 08                    ;         sub        rdx, 8
            e9 94 fe ff ff                 ;         jmp        next
                                           ; -- one block, as above
            48 85 d2                       ; few:    test       rdx, rdx
            74 56                          ;         jz         done
            66 49 0f 6e c1                 ; one:    movq       xmm0, r9
            66 4d 0f 6e c0                 ;         movq       xmm8, r8
            66 41 0f 6c c0                 ;         punpcklqdq xmm0, xmm8
            66 41 0f 38 00 c2              ;         pshufb     xmm0, xmm10
            49 83 c1 01                    ;         add        r9, 1
            49 83 d0 00                    ;         adc        r8, 0
            44 0f 10 07                    ;         movups     xmm8, [rdi]
            66 41 0f ef c0                 ;         pxor       xmm0, xmm8
            48 8d 47 10                    ;         lea        rax, [rdi + 16]
            44 0f 10 00                    ; round:  movups     xmm8, [rax]
            66 41 0f 38 dc c0              ;         aesenc     xmm0, xmm8
            48 83 c0 10                    ;         add        rax, 16
            48 39 c8                       ;         cmp        rax, rcx
            72 ed                          ;         jb         round
            44 0f 10 01                    ;         movups     xmm8, [rcx]
            66 41 0f 38 dd c0              ;         aesenclast xmm0, xmm8
            0f 11 06                       ;         movups     [rsi], xmm0
            48 83 c6 10                    ;         add        rsi, 16
            48 ff ca                       ;         dec        rdx
            e9 39 fe ff ff                 ;         jmp        next
                                           ; -- the counter for the next time
                                           ; -- nothing of it, of the key or of the output stays in registers
            49 0f c8                       ; done:   bswap      r8
            4c 89 87 f0 00 00 00           ;         mov        [rdi + 240], r8
            49 0f c9                       ;         bswap      r9
            4c 89 8f f8 00 00 00           ;         mov        [rdi + 248], r9
            45 31 c0                       ;         xor        r8d, r8d
            45 31 c9                       ;         xor        r9d, r9d
            66 0f ef c0                    ;         pxor       xmm0, xmm0
            66 0f ef c9                    ;         pxor       xmm1, xmm1
            66 0f ef d2                    ;         pxor       xmm2, xmm2
            66 0f ef db                    ;         pxor       xmm3, xmm3
            66 0f ef e4                    ;         pxor       xmm4, xmm4
            66 0f ef ed                    ;         pxor       xmm5, xmm5
            66 0f ef f6                    ;         pxor       xmm6, xmm6
            66 0f ef ff                    ;         pxor       xmm7, xmm7
            66 45 0f ef c0                 ;         pxor       xmm8, xmm8
            66 45 0f ef c9                 ;         pxor       xmm9, xmm9
            c3                             ;         ret
            """;

    /**
     * What comes before {@link #KEYSTREAM} where two blocks fit into a register: takes as many blocks as it can, and
     * leaves the rest to what follows.
     */
    private static final String WIDE_KEYSTREAM = """
                                           ; -- few blocks are not worth it
            48 83 fa 10                    ;         cmp            rdx, 16
            0f 82 f6 01 00 00              ;         jb             narrow
                                           ; -- as below
            4c 8b 87 f0 00 00 00           ;         mov            r8, [rdi + 240]
            49 0f c8                       ;         bswap          r8
            4c 8b 8f f8 00 00 00           ;         mov            r9, [rdi + 248]
            49 0f c9                       ;         bswap          r9
            48 8d 8f e0 00 00 00           ;         lea            rcx, [rdi + 224]
            48 b8 0f 0e 0d 0c 0b 0a 09 08  ;         mov            rax, 0x08090a0b0c0d0e0f
            c4 61 f9 6e d0                 ;         vmovq          xmm10, rax
            48 b8 07 06 05 04 03 02 01 00  ;         mov            rax, 0x0001020304050607
            c4 61 f9 6e c8                 ;         vmovq          xmm9, rax
            c4 41 29 6c d1                 ;         vpunpcklqdq    xmm10, xmm10, xmm9
            c4 43 2d 38 d2 01              ;         vinserti128    ymm10, ymm10, xmm10, 1
                                           ; -- ymm11: two, in each half of it
            b8 02 00 00 00                 ;         mov            eax, 2
            c5 79 6e d8                    ;         vmovd          xmm11, eax
            c4 43 25 38 db 01              ;         vinserti128    ymm11, ymm11, xmm11, 1
                                           ; -- sixteen at once if as many are wanted and the lower half does not overflow
            48 83 fa 10                    ; next:   cmp            rdx, 16
            0f 82 58 01 00 00              ;         jb             done
            49 83 f9 f0                    ;         cmp            r9, -16
            0f 83 4e 01 00 00              ;         jae            done
                                           ; -- ymm9: the counter, and the one after it
            c4 41 f9 6e c0                 ;         vmovq          xmm8, r8
            c4 41 f9 6e c9                 ;         vmovq          xmm9, r9
            c4 41 31 6c c8                 ;         vpunpcklqdq    xmm9, xmm9, xmm8
            49 8d 41 01                    ;         lea            rax, [r9 + 1]
            c4 61 f9 6e e0                 ;         vmovq          xmm12, rax
            c4 41 19 6c e0                 ;         vpunpcklqdq    xmm12, xmm12, xmm8
            c4 43 35 38 cc 01              ;         vinserti128    ymm9, ymm9, xmm12, 1
            49 83 c1 10                    ;         add            r9, 16
                                           ; -- sixteen counters, each xor the first round key
            c4 62 7d 5a 07                 ;         vbroadcasti128 ymm8, [rdi]
            c4 c2 35 00 c2                 ;         vpshufb        ymm0, ymm9, ymm10
            c4 c1 7d ef c0                 ;         vpxor          ymm0, ymm0, ymm8
            c4 41 35 d4 cb                 ;         vpaddq         ymm9, ymm9, ymm11
            c4 c2 35 00 ca                 ;         vpshufb        ymm1, ymm9, ymm10
            c4 c1 75 ef c8                 ;         vpxor          ymm1, ymm1, ymm8
            c4 41 35 d4 cb                 ;         vpaddq         ymm9, ymm9, ymm11
            c4 c2 35 00 d2                 ;         vpshufb        ymm2, ymm9, ymm10
            c4 c1 6d ef d0                 ;         vpxor          ymm2, ymm2, ymm8
            c4 41 35 d4 cb                 ;         vpaddq         ymm9, ymm9, ymm11
            c4 c2 35 00 da                 ;         vpshufb        ymm3, ymm9, ymm10
            c4 c1 65 ef d8                 ;         vpxor          ymm3, ymm3, ymm8
            c4 41 35 d4 cb                 ;         vpaddq         ymm9, ymm9, ymm11
            c4 c2 35 00 e2                 ;         vpshufb        ymm4, ymm9, ymm10
            c4 c1 5d ef e0                 ;         vpxor          ymm4, ymm4, ymm8
            c4 41 35 d4 cb                 ;         vpaddq         ymm9, ymm9, ymm11
            c4 c2 35 00 ea                 ;         vpshufb        ymm5, ymm9, ymm10
            c4 c1 55 ef e8                 ;         vpxor          ymm5, ymm5, ymm8
            c4 41 35 d4 cb                 ;         vpaddq         ymm9, ymm9, ymm11
            c4 c2 35 00 f2                 ;         vpshufb        ymm6, ymm9, ymm10
            c4 c1 4d ef f0                 ;         vpxor          ymm6, ymm6, ymm8
            c4 41 35 d4 cb                 ;         vpaddq         ymm9, ymm9, ymm11
            c4 c2 35 00 fa                 ;         vpshufb        ymm7, ymm9, ymm10
            c4 c1 45 ef f8                 ;         vpxor          ymm7, ymm7, ymm8
            c4 41 35 d4 cb                 ;         vpaddq         ymm9, ymm9, ymm11
            48 8d 47 10                    ;         lea            rax, [rdi + 16]
                                           ; -- rounds 1 to 13
            c4 62 7d 5a 00                 ; rounds: vbroadcasti128 ymm8, [rax]
            c4 c2 7d dc c0                 ;         vaesenc        ymm0, ymm0, ymm8
            c4 c2 75 dc c8                 ;         vaesenc        ymm1, ymm1, ymm8
            c4 c2 6d dc d0                 ;         vaesenc        ymm2, ymm2, ymm8
            c4 c2 65 dc d8                 ;         vaesenc        ymm3, ymm3, ymm8
            c4 c2 5d dc e0                 ;         vaesenc        ymm4, ymm4, ymm8
            c4 c2 55 dc e8                 ;         vaesenc        ymm5, ymm5, ymm8
            c4 c2 4d dc f0                 ;         vaesenc        ymm6, ymm6, ymm8
            c4 c2 45 dc f8                 ;         vaesenc        ymm7, ymm7, ymm8
            48 83 c0 10                    ;         add            rax, 16
            48 39 c8                       ;         cmp            rax, rcx
            72 ca                          ;         jb             rounds
                                           ; -- round 14
            c4 62 7d 5a 01                 ;         vbroadcasti128 ymm8, [rcx]
            c4 c2 7d dd c0                 ;         vaesenclast    ymm0, ymm0, ymm8
            c4 c2 75 dd c8                 ;         vaesenclast    ymm1, ymm1, ymm8
            c4 c2 6d dd d0                 ;         vaesenclast    ymm2, ymm2, ymm8
            c4 c2 65 dd d8                 ;         vaesenclast    ymm3, ymm3, ymm8
            c4 c2 5d dd e0                 ;         vaesenclast    ymm4, ymm4, ymm8
            c4 c2 55 dd e8                 ;         vaesenclast    ymm5, ymm5, ymm8
            c4 c2 4d dd f0                 ;         vaesenclast    ymm6, ymm6, ymm8
            c4 c2 45 dd f8                 ;         vaesenclast    ymm7, ymm7, ymm8
            c5 fe 7f 06                    ;         vmovdqu        [rsi], ymm0
            c5 fe 7f 4e 20                 ;         vmovdqu        [rsi + 32], ymm1
            c5 fe 7f 56 40                 ;         vmovdqu        [rsi + 64], ymm2
            c5 fe 7f 5e 60                 ;         vmovdqu        [rsi + 96], ymm3
            c5 fe 7f a6 80 00 00 00        ;         vmovdqu        [rsi + 128], ymm4
            c5 fe 7f ae a0 00 00 00        ;         vmovdqu        [rsi + 160], ymm5
            c5 fe 7f b6 c0 00 00 00        ;         vmovdqu        [rsi + 192], ymm6
            c5 fe 7f be e0 00 00 00        ;         vmovdqu        [rsi + 224], ymm7
            48 81 c6 00 01 00 00           ;         add            rsi, 256
            48 83 ea 10                    ;         sub            rdx, 16
            e9 9e fe ff ff                 ;         jmp            next
                                           ; -- the counter for the rest, or for the next time; nothing else stays in registers
            49 0f c8                       ; done:   bswap          r8
            4c 89 87 f0 00 00 00           ;         mov            [rdi + 240], r8
            49 0f c9                       ;         bswap          r9
            4c 89 8f f8 00 00 00           ;         mov            [rdi + 248], r9
            c5 fc 77                       ;         vzeroall
                                           ; -- what follows lies as it does without this: its loops are slower across a cache line
            66 0f 1f 84 00 00 00 00 00     ;         nop
            66 0f 1f 84 00 00 00 00 00     ;         nop
            66 0f 1f 84 00 00 00 00 00     ;         nop
            66 0f 1f 84 00 00 00 00 00     ;         nop
            66 0f 1f 44 00 00              ;         nop
            """;

    /**
     * {@code void chain(char *rdi, const char *rsi, long rdx)}: rdx blocks at rsi into the chaining value of the state
     * at rdi.
     */
    private static final String CHAIN = """
            0f 10 87 f0 00 00 00  ;        movups     xmm0, [rdi + 240]
            48 8d 8f e0 00 00 00  ;        lea        rcx, [rdi + 224]
                                  ; -- chaining value xor block, encrypted, is the next chaining value
            48 85 d2              ; next:  test       rdx, rdx
            74 34                 ;        jz         done
            0f 10 0e              ;        movups     xmm1, [rsi]
            66 0f ef c1           ;        pxor       xmm0, xmm1
            0f 10 0f              ;        movups     xmm1, [rdi]
            66 0f ef c1           ;        pxor       xmm0, xmm1
            48 8d 47 10           ;        lea        rax, [rdi + 16]
            0f 10 08              ; round: movups     xmm1, [rax]
            66 0f 38 dc c1        ;        aesenc     xmm0, xmm1
            48 83 c0 10           ;        add        rax, 16
            48 39 c8              ;        cmp        rax, rcx
            72 ef                 ;        jb         round
            0f 10 09              ;        movups     xmm1, [rcx]
            66 0f 38 dd c1        ;        aesenclast xmm0, xmm1
            48 83 c6 10           ;        add        rsi, 16
            48 ff ca              ;        dec        rdx
            eb c7                 ;        jmp        next
                                  ; -- nothing of key or input stays in registers
            0f 11 87 f0 00 00 00  ; done:  movups     [rdi + 240], xmm0
            66 0f ef c0           ;        pxor       xmm0, xmm0
            66 0f ef c9           ;        pxor       xmm1, xmm1
            c3                    ;        ret
            """;

    private final MemorySegment expand;
    private final MemorySegment keystream;
    private final MemorySegment chain;

    private CpuAes(Arena arena, Instruction instruction) throws IOException {
        expand = MachineCodeLoader.load(arena, EXPAND);
        keystream = MachineCodeLoader.load(arena, instruction.keystream);
        chain = MachineCodeLoader.load(arena, CHAIN);
    }

    /**
     * Makes the instructions callable.
     *
     * @throws IOException with the reason, if this processor does not have them or the kernel refuses machine code
     */
    public static CpuAes load(Instruction instruction) throws IOException {
        if (!isPresent(instruction)) {
            throw new IOException("this processor has no " + instruction);
        }
        return new CpuAes(Arena.ofAuto(), instruction);
    }

    private static boolean isPresent(Instruction instruction) throws IOException {
        return switch (instruction) {
            case AES_NI -> Cpuid.has(Feature.AES, Feature.SSSE3);
            case VAES ->
                Cpuid.has(Feature.AES, Feature.SSSE3, Feature.AVX2, Feature.VAES) && Cpuid.keepsWideRegisters();
        };
    }

    /** Sets the key of a {@code state} to the {@link #KEY_BYTES} of {@code key} from {@code offset} on. */
    public void expand(MemorySegment key, long offset, MemorySegment state) {
        long from = EntropyFile.address(key, offset, KEY_BYTES);
        LibcCalls.callForeign(expand, from, EntropyFile.address(state, 0, STATE_BYTES), 0);
    }

    /** Encrypts counters: so many blocks into {@code out} from {@code offset} on. */
    public void keystream(MemorySegment state, MemorySegment out, long offset, int blocks) {
        long to = EntropyFile.address(out, offset, Math.multiplyExact(blocks, BLOCK_BYTES));
        LibcCalls.callForeign(keystream, EntropyFile.address(state, 0, STATE_BYTES), to, blocks);
    }

    /**
     * Encrypts blocks in chains, CBC-MAC: each of them XORed to the chaining value, which stands where the counter does
     * and of which the result is the next one.
     */
    public void chain(MemorySegment state, MemorySegment data, long offset, int blocks) {
        long from = EntropyFile.address(data, offset, Math.multiplyExact(blocks, BLOCK_BYTES));
        LibcCalls.callForeign(chain, EntropyFile.address(state, 0, STATE_BYTES), from, blocks);
    }
}
