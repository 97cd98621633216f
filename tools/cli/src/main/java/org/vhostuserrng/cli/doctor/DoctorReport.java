package org.vhostuserrng.cli.doctor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;
import org.vhostuserrng.libc.NativeText;

/** The results of all checks, as text or as a JSON object. */
record DoctorReport(List<CheckResult> results) {
    private static final int WIDTH = 100;
    private static final String INDENTATION = " ".repeat(13);

    boolean isHealthy() {
        return count(CheckStatus.PROBLEM) == 0;
    }

    private long count(CheckStatus status) {
        return results.stream().filter(result -> result.status() == status).count();
    }

    /** Prints a paragraph for each result, and the number of problems. */
    void print(PrintWriter out) {
        for (CheckResult result : results) {
            String status = String.format(Locale.ROOT, "%-12s", result.status().text());
            paragraph(out, status, result.check() + ": " + result.finding());
            if (!result.remedy().isEmpty()) {
                paragraph(out, INDENTATION.substring(1), result.remedy());
            }
        }
        long problems = count(CheckStatus.PROBLEM);
        out.println((problems == 1 ? "1 problem" : problems + " problems") + ", " + count(CheckStatus.NOT_CHECKED)
                + " not checked");
    }

    private static void paragraph(PrintWriter out, String first, String text) {
        StringBuilder line = new StringBuilder(first);
        for (String word : NativeText.printable(text).split(" ", -1)) {
            if (line.length() > INDENTATION.length() && line.length() + word.length() >= WIDTH) {
                out.println(line);
                line.setLength(0);
                line.append(INDENTATION, 1, INDENTATION.length());
            }
            line.append(' ').append(word);
        }
        out.println(line);
    }

    /** Returns one object on one line. */
    String json() throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeBooleanField("healthy", isHealthy());
            json.writeArrayFieldStart("checks");
            for (CheckResult result : results) {
                json.writeStartObject();
                json.writeStringField("check", result.check());
                json.writeStringField("status", result.status().text());
                json.writeStringField("finding", NativeText.printable(result.finding()));
                if (!result.remedy().isEmpty()) {
                    json.writeStringField("remedy", NativeText.printable(result.remedy()));
                }
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        return text.toString();
    }
}
