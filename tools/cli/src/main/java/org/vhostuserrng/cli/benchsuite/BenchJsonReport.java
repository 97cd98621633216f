package org.vhostuserrng.cli.benchsuite;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.vhostuserrng.cli.benchsuite.BenchSamples.Key;

/** The report for programs: every sample. */
final class BenchJsonReport {
    private static final double[] PERCENTILES = {0, 50, 75, 90, 95, 99, 99.9, 99.99, 100};

    private final BenchSamples samples;
    private final JsonGenerator json;

    private BenchJsonReport(BenchSamples samples, JsonGenerator json) {
        this.samples = samples;
        this.json = json;
    }

    static String write(BenchSamples samples, BenchSuiteParameters pace, Map<String, String> environment)
            throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.useDefaultPrettyPrinter();
            new BenchJsonReport(samples, json).write(pace, environment);
        }
        return text.append('\n').toString();
    }

    private void write(BenchSuiteParameters pace, Map<String, String> environment) throws IOException {
        json.writeStartObject();
        json.writeObjectFieldStart("environment");
        for (Map.Entry<String, String> fact : environment.entrySet()) {
            json.writeStringField(fact.getKey(), fact.getValue());
        }
        json.writeEndObject();
        json.writeNumberField("rounds", pace.rounds());
        json.writeNumberField("secondsMeasured", pace.measureTime().toMillis() / 1e3);
        goals();
        json.writeArrayFieldStart("measurements");
        for (Key subject : samples.keys()) {
            measurement(subject);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("notMeasured");
        for (String remark : samples.notes()) {
            json.writeString(remark);
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

    private void measurement(Key subject) throws IOException {
        json.writeStartObject();
        json.writeStringField("section", subject.section().title());
        json.writeStringField("scenario", subject.scenario());
        json.writeStringField("candidate", subject.candidate());
        json.writeObjectFieldStart("figures");
        for (BenchMetric figure : BenchMetric.values()) {
            List<Double> values = samples.values(subject, figure);
            if (!values.isEmpty()) {
                json.writeArrayFieldStart(figure.label());
                for (double value : values) {
                    json.writeNumber(value);
                }
                json.writeEndArray();
            }
        }
        json.writeEndObject();
        Histogram latencies = samples.latencies().get(subject);
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
