package org.vhostuserrng.device.rng;

import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.transport.counters.CounterField;
import org.vhostuserrng.transport.counters.CounterField.Kind;

/** The counters of a guest in the counters file, in order; the buckets of {@link LatencyHistogram} follow. */
enum GuestCounterField {
    BYTES("bytes", Kind.COUNTER, "bytes"),
    REQUESTS("requests", Kind.COUNTER, ""),
    KICKS("kicks", Kind.COUNTER, ""),
    INTERRUPTS("interrupts", Kind.COUNTER, ""),
    THROTTLED("throttled", Kind.COUNTER, ""),
    THROTTLED_TIME("throttled_time", Kind.COUNTER, "ns"),
    STARVED("starved", Kind.COUNTER, ""),
    STARVED_TIME("starved_time", Kind.COUNTER, "ns"),
    FAULTS("faults", Kind.COUNTER, ""),
    FAULTS_RING("faults_ring", Kind.COUNTER, ""),
    FAULTS_DESCRIPTOR("faults_descriptor", Kind.COUNTER, ""),
    FAULTS_ADDRESS("faults_address", Kind.COUNTER, ""),
    FAULTS_MEMORY("faults_memory", Kind.COUNTER, ""),
    SESSIONS("sessions", Kind.COUNTER, ""),
    /** 1 while a front-end is connected. */
    CONNECTED("connected", Kind.GAUGE, ""),
    /** 0 not used yet, 1 serves, 2 has no bytes now, 3 has failed. */
    SOURCE_STATE("source_state", Kind.GAUGE, ""),
    /** 0 without a limit. */
    LIMIT_BYTES("limit_bytes", Kind.GAUGE, "bytes"),
    LIMIT_REQUESTS("limit_requests", Kind.GAUGE, ""),
    LIMIT_PERIOD("limit_period", Kind.GAUGE, "ns"),
    /** What the guest may receive now. */
    LIMIT_BYTES_LEFT("limit_bytes_left", Kind.GAUGE, "bytes"),
    LAST_REQUEST("last_request", Kind.TIME, "ns"),
    LAST_SESSION("last_session", Kind.TIME, "ns"),
    LATENCY_SUM("latency_sum", Kind.COUNTER, "ns"),
    LATENCY_COUNT("latency_count", Kind.COUNTER, "");

    /** Index of the first bucket of the latency. */
    static final int FIRST_LATENCY_BUCKET = values().length;

    private final String fieldName;
    private final Kind kind;
    private final String unit;

    GuestCounterField(String fieldName, Kind kind, String unit) {
        this.fieldName = fieldName;
        this.kind = kind;
        this.unit = unit;
    }

    /** All fields, in the order of their indices. */
    static List<CounterField> all() {
        List<CounterField> fields = new ArrayList<>();
        for (GuestCounterField each : values()) {
            fields.add(new CounterField(each.fieldName, each.kind, each.unit, 0));
        }
        for (int bucket = 0; bucket < LatencyHistogram.BUCKETS; bucket++) {
            fields.add(new CounterField("latency_bucket", Kind.BUCKET, "ns", LatencyHistogram.upperBoundNanos(bucket)));
        }
        return fields;
    }
}
