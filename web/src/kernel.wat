;; One pass of resample.js along one axis: every output pixel is a weighted sum of input pixels that follow each other.
;; Compiled to kernel.js by `npm run kernel`.
(module
  (memory (export "memory") 1)
  (func (export "pass")
    (param $from i32)          ;; address of the input: pixels of four bytes, of which three count
    (param $row i32)           ;; bytes from an output row's input to the next one's; 0 where rows are filtered
    (param $column i32)        ;; the same for columns
    (param $tap i32)           ;; bytes from one weighted pixel to the next
    (param $table i32)         ;; address of the rows of i32: first tap, taps, a weight in 22-bit fixed point for each
    (param $table_row i32)     ;; bytes in the table from an output row to the next; 0 where columns are filtered
    (param $table_column i32)  ;; the same for columns
    (param $out i32)           ;; address of the output
    (param $step i32)          ;; bytes of an output pixel, 3 or 4; the byte after the last one is written too
    (param $height i32)        ;; of the output
    (param $width i32)
    (local $x i32) (local $at i32) (local $entry i32) (local $end i32) (local $row_entry i32) (local $sum v128)
    (loop $rows
      (local.set $x (i32.const 0))
      (local.set $row_entry (local.get $table))
      (loop $columns
        (local.set $at
          (i32.add
            (i32.add (local.get $from) (i32.mul (local.get $x) (local.get $column)))
            (i32.mul (i32.load (local.get $row_entry)) (local.get $tap))))
        (local.set $entry (i32.add (local.get $row_entry) (i32.const 8)))
        (local.set $end
          (i32.add (local.get $entry) (i32.shl (i32.load offset=4 (local.get $row_entry)) (i32.const 2))))
        (local.set $sum (v128.const i32x4 0x200000 0x200000 0x200000 0x200000)) ;; half a step, so that it rounds
        (loop $taps
          (local.set $sum
            (i32x4.add
              (local.get $sum)
              (i32x4.mul
                (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u (v128.load32_zero (local.get $at))))
                (v128.load32_splat (local.get $entry)))))
          (local.set $at (i32.add (local.get $at) (local.get $tap)))
          (br_if $taps
            (i32.lt_u (local.tee $entry (i32.add (local.get $entry) (i32.const 4))) (local.get $end))))
        ;; both narrowings saturate, so that a byte stays within 0..255
        (local.set $sum (i32x4.shr_s (local.get $sum) (i32.const 22)))
        (local.set $sum (i16x8.narrow_i32x4_s (local.get $sum) (local.get $sum)))
        (i32.store (local.get $out)
          (i32x4.extract_lane 0 (i8x16.narrow_i16x8_u (local.get $sum) (local.get $sum))))
        (local.set $out (i32.add (local.get $out) (local.get $step)))
        (local.set $row_entry (i32.add (local.get $row_entry) (local.get $table_column)))
        (br_if $columns
          (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 1))) (local.get $width))))
      (local.set $from (i32.add (local.get $from) (local.get $row)))
      (local.set $table (i32.add (local.get $table) (local.get $table_row)))
      (br_if $rows (local.tee $height (i32.sub (local.get $height) (i32.const 1)))))))
