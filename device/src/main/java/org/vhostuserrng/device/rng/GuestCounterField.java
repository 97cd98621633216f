package org.vhostuserrng.device.rng;

import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.transport.counters.CounterField;
import org.vhostuserrng.transport.counters.CounterField.Kind;

/** The fields of a guest's slot in the counters file, in order. The buckets of {@link LatencyHistogram} follow them. */
enum GuestCounterField {
    BYTES(0, "bytes", Kind.COUNTER, "bytes"),
    REQUESTS(1, "requests", Kind.COUNTER, ""),
    KICKS(2, "kicks", Kind.COUNTER, ""),
    INTERRUPTS(3, "interrupts", Kind.COUNTER, ""),
    THROTTLED(4, "throttled", Kind.COUNTER, ""),
    THROTTLED_TIME(5, "throttled_time", Kind.COUNTER, "ns"),
    STARVED(6, "starved", Kind.COUNTER, ""),
    STARVED_TIME(7, "starved_time", Kind.COUNTER, "ns"),
    FAULTS(8, "faults", Kind.COUNTER, ""),
    FAULTS_RING(9, "faults_ring", Kind.COUNTER, ""),
    FAULTS_DESCRIPTOR(10, "faults_descriptor", Kind.COUNTER, ""),
    FAULTS_ADDRESS(11, "faults_address", Kind.COUNTER, ""),
    FAULTS_MEMORY(12, "faults_memory", Kind.COUNTER, ""),
    SESSIONS(13, "sessions", Kind.COUNTER, ""),
    /** 1 while a front-end is connected. */
    CONNECTED(14, "connected", Kind.GAUGE, ""),
    /** 0: the source has not been used yet, 1: it serves, 2: it has no bytes at the moment, 3: it has failed. */
    SOURCE_STATE(15, "source_state", Kind.GAUGE, ""),
    /** The guest's own limit of bytes per period; 0 if there is none. */
    LIMIT_BYTES(16, "limit_bytes", Kind.GAUGE, "bytes"),
    LIMIT_REQUESTS(17, "limit_requests", Kind.GAUGE, ""),
    LIMIT_PERIOD(18, "limit_period", Kind.GAUGE, "ns"),
    /** The number of bytes that the guest's own limit permits now. */
    LIMIT_BYTES_LEFT(19, "limit_bytes_left", Kind.GAUGE, "bytes"),
    LAST_REQUEST(20, "last_request", Kind.TIME, "ns"),
    LAST_SESSION(21, "last_session", Kind.TIME, "ns"),
    LATENCY_SUM(22, "latency_sum", Kind.COUNTER, "ns"),
    LATENCY_COUNT(23, "latency_count", Kind.COUNTER, "");

    /** Index of the first bucket of {@link LatencyHistogram}. */
    static final int FIRST_LATENCY_BUCKET = values().length;

    private final int index;
    private final String fieldName;
    private final Kind kind;
    private final String unit;

    GuestCounterField(int index, String fieldName, Kind kind, String unit) {
        this.index = index;
        this.fieldName = fieldName;
        this.kind = kind;
        this.unit = unit;
    }

    /** The index of the field in the guest's slot. */
    int index() {
        return index;
    }

    /** Returns all fields, also the buckets, in the order of their indices. */
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
