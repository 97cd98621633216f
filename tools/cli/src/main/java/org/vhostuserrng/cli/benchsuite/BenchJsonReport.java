package org.vhostuserrng.cli.benchsuite;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.vhostuserrng.cli.benchsuite.BenchSamples.SampleKey;

/** Writes the machine-readable report, which contains every sample. */
final class BenchJsonReport {
    private static final double[] PERCENTILES = {0, 50, 75, 90, 95, 99, 99.9, 99.99, 100};

    private final BenchSamples samples;
    private final JsonGenerator json;

    private BenchJsonReport(BenchSamples samples, JsonGenerator json) {
        this.samples = samples;
        this.json = json;
    }

    static String write(BenchSamples samples, BenchSuiteParameters parameters, Map<String, String> environment)
            throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.useDefaultPrettyPrinter();
            new BenchJsonReport(samples, json).write(parameters, environment);
        }
        return text.append('\n').toString();
    }

    private void write(BenchSuiteParameters parameters, Map<String, String> environment) throws IOException {
        json.writeStartObject();
        json.writeObjectFieldStart("environment");
        for (Map.Entry<String, String> fact : environment.entrySet()) {
            json.writeStringField(fact.getKey(), fact.getValue());
        }
        json.writeEndObject();
        json.writeNumberField("rounds", parameters.rounds());
        json.writeNumberField("secondsMeasured", parameters.measureTime().toMillis() / 1e3);
        goals();
        json.writeArrayFieldStart("measurements");
        for (SampleKey key : samples.keys()) {
            measurement(key);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("notMeasured");
        for (String note : samples.notes()) {
            json.writeString(note);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void goals() throws IOException {
        json.writeArrayFieldStart("goals");
        for (PerformanceGoal goal : new PerformanceGoals(samples).all()) {
            json.writeStartObject();
            json.writeStringField("goal", goal.text());
            json.writeStringField("relation", goal.relation().sign());
            json.writeNumberField("limit", goal.limit());
            if (goal.measured().isPresent()) {
                json.writeNumberField("measured", goal.measured().getAsDouble());
            }
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void measurement(SampleKey key) throws IOException {
        json.writeStartObject();
        json.writeStringField("section", key.section().title());
        json.writeStringField("scenario", key.scenario());
        json.writeStringField("candidate", key.candidate());
        json.writeObjectFieldStart("metrics");
        for (BenchMetric metric : BenchMetric.values()) {
            List<Double> values = samples.values(key, metric);
            if (!values.isEmpty()) {
                json.writeArrayFieldStart(metric.label());
                for (double value : values) {
                    json.writeNumber(value);
                }
                json.writeEndArray();
            }
        }
        json.writeEndObject();
        Histogram latencies = samples.latencies().get(key);
        if (latencies != null) {
            latencies(latencies);
        }
        json.writeEndObject();
    }

    private void latencies(Histogram latencies) throws IOException {
        json.writeObjectFieldStart("latencyNanosByPercentile");
        for (double percentile : PERCENTILES) {
            json.writeNumberField(Double.toString(percentile), latencies.getValueAtPercentile(percentile));
        }
        json.writeEndObject();
    }
}
