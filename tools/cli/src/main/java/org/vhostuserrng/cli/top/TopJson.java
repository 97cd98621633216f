package org.vhostuserrng.cli.top;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;
import org.vhostuserrng.cli.counters.CounterValues;
import org.vhostuserrng.cli.counters.CountersSnapshot;

/** A sample of {@code top --json}: one object on one line. */
final class TopJson {
    private TopJson() {}

    static String of(CountersSnapshot snapshot, List<GuestRates> guests) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("time", snapshot.time().toString());
            json.writeBooleanField("running", snapshot.running());
            json.writeNumberField("pid", snapshot.pid());
            json.writeStringField("started", snapshot.started().toString());
            json.writeNumberField("restarts", snapshot.restarts());
            json.writeNumberField("sourceFailovers", snapshot.daemon().get("source_failovers"));
            json.writeNumberField("sourceReadFailures", snapshot.daemon().get("source_read_failures"));
            json.writeNumberField("sourceHealthTestFailures", snapshot.daemon().get("source_health_test_failures"));
            json.writeNumberField("longestLoopIterationNanos", snapshot.daemon().get("longest_loop_iteration"));
            json.writeArrayFieldStart("guests");
            for (GuestRates guest : guests) {
                write(json, guest);
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        return text.toString();
    }

    private static void write(JsonGenerator json, GuestRates rates) throws IOException {
        CounterValues values = rates.guest().values();
        json.writeStartObject();
        json.writeStringField("guest", rates.guest().name());
        json.writeBooleanField("connected", rates.guest().isConnected());
        json.writeStringField("source", rates.guest().sourceState().name().toLowerCase(Locale.ROOT));
        json.writeNumberField("bytesPerSecond", rates.bytesPerSecond());
        json.writeNumberField("requestsPerSecond", rates.requestsPerSecond());
        json.writeNumberField("throttledShare", rates.throttledShare());
        json.writeNumberField("starvedShare", rates.starvedShare());
        json.writeNumberField("latencyP50Nanos", rates.latency().quantileNanos(0.5));
        json.writeNumberField("latencyP99Nanos", rates.latency().quantileNanos(0.99));
        json.writeNumberField("bytes", values.get("bytes"));
        json.writeNumberField("requests", values.get("requests"));
        json.writeNumberField("faults", values.get("faults"));
        json.writeNumberField("sessions", values.get("sessions"));
        if (rates.guest().hasByteLimit()) {
            json.writeNumberField("limitBytesLeft", values.get("limit_bytes_left"));
        }
        json.writeEndObject();
    }
}
