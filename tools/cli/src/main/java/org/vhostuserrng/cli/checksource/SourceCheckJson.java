package org.vhostuserrng.cli.checksource;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.cli.checksource.estimator.EstimatorResult;
import org.vhostuserrng.cli.checksource.estimator.MinEntropyAssessment;
import org.vhostuserrng.cli.checksource.validation.TestResult;

/** The report of {@code check-source --json}: one object on one line. */
final class SourceCheckJson {
    private final JsonGenerator json;

    private SourceCheckJson(JsonGenerator json) {
        this.json = json;
    }

    static String of(SourceCheckReport report) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            new SourceCheckJson(json).write(report);
        }
        return text.toString();
    }

    private void write(SourceCheckReport report) throws IOException {
        json.writeStartObject();
        json.writeStringField("source", report.source());
        json.writeBooleanField("healthy", report.isHealthy());
        if (!report.isHealthy()) {
            json.writeStringField("fault", String.join("; ", report.faults()));
        }
        json.writeNumberField("bytes", report.samples().statistics().bytes());
        if (report.assessment() != null) {
            json.writeNumberField("bytesPerSecond", report.samples().bytesPerSecond());
            json.writeNumberField("claimedMinEntropyPerByte", report.claimed());
            write(report.assessment(), report.samples().first().length);
            json.writeNumberField("onesRatio", report.onesRatio());
            json.writeNumberField("byteChiSquare", report.samples().statistics().chiSquare());
            json.writeNumberField("byteChiSquareP", report.chiSquareProbability());
            json.writeNumberField(
                    "longestRunBits", report.samples().statistics().longestRun());
        }
        if (!report.tests().isEmpty()) {
            writeTests(report);
        }
        json.writeEndObject();
    }

    private void write(MinEntropyAssessment assessment, int samples) throws IOException {
        json.writeNumberField("minEntropyPerByte", assessment.perSample());
        json.writeNumberField("estimatedSamples", samples);
        json.writeNumberField("bitsPerSample", assessment.width());
        json.writeArrayFieldStart("estimates");
        List<EstimatorResult> results = new ArrayList<>(assessment.results());
        results.addAll(assessment.supplements());
        for (EstimatorResult result : results) {
            json.writeStartObject();
            json.writeStringField("name", result.name());
            if (!result.section().isEmpty()) {
                json.writeStringField("section", result.section());
            }
            json.writeStringField("of", result.ofBits() ? "bits" : "samples");
            if (result.applies()) {
                json.writeNumberField("minEntropy", result.bits());
            } else {
                json.writeNullField("minEntropy");
            }
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void writeTests(SourceCheckReport report) throws IOException {
        json.writeArrayFieldStart("tests");
        for (TestResult test : report.tests()) {
            json.writeStartObject();
            json.writeStringField("name", test.name());
            json.writeBooleanField("passed", test.passed());
            json.writeStringField("detail", test.detail());
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
