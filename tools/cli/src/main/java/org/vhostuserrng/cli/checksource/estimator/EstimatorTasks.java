package org.vhostuserrng.cli.checksource.estimator;

import java.util.List;
import java.util.function.Function;

/** Tasks that apply the estimators to one sequence and may run in parallel. */
final class EstimatorTasks {
    /** Number of tasks of a sequence. */
    static final int PER_SEQUENCE = 6;

    private final SymbolSequence sequence;
    private final boolean ofBits;

    private EstimatorTasks(SymbolSequence sequence, boolean ofBits) {
        this.sequence = sequence;
        this.ofBits = ofBits;
    }

    static List<ParallelTasks.Task<List<EstimatorResult>>> of(SymbolSequence sequence, boolean ofBits) {
        EstimatorTasks tasks = new EstimatorTasks(sequence, ofBits);
        return List.of(
                tasks::frequencies,
                tasks::repeatedTuples,
                () -> tasks.prediction("multi most common in window", "6.3.7", MultiMcwPredictor::new),
                () -> tasks.prediction("lag", "6.3.8", LagPredictor::new),
                () -> tasks.prediction("multi Markov model with counting", "6.3.9", MultiMmcPredictor::new),
                () -> tasks.prediction("LZ78Y", "6.3.10", Lz78yPredictor::new));
    }

    /** Returns the estimates of §6.3.1 to §6.3.4. All except the first require a binary sequence. */
    private List<EstimatorResult> frequencies() {
        EstimatorResult mostCommon = result("most common value", "6.3.1", FrequencyEstimates.mostCommonValue(sequence));
        if (sequence.alphabetSize() > 2) {
            return List.of(mostCommon);
        }
        double compression = CompressionEstimate.appliesTo(sequence) ? CompressionEstimate.of(sequence) : Double.NaN;
        return List.of(
                mostCommon,
                result("collision", "6.3.2", FrequencyEstimates.collision(sequence)),
                result("Markov", "6.3.3", FrequencyEstimates.markov(sequence)),
                result("compression", "6.3.4", compression));
    }

    private List<EstimatorResult> repeatedTuples() {
        RepeatedTuples tuples = RepeatedTuples.of(sequence);
        return List.of(
                result("t-tuple", "6.3.5", tuples.tTuple()),
                result("longest repeated substring", "6.3.6", tuples.longestRepeatedSubstring()));
    }

    private List<EstimatorResult> prediction(
            String name, String section, Function<SymbolSequence, SymbolPredictor> predictor) {
        boolean applies = sequence.length() > Sp80090bConstants.LAGS;
        double bits = applies ? PredictionEstimate.of(sequence, predictor.apply(sequence)) : Double.NaN;
        return List.of(result(name, section, bits));
    }

    private EstimatorResult result(String name, String section, double bits) {
        return new EstimatorResult(name, section, ofBits, bits);
    }
}
