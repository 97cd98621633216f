package org.vhostuserrng.it;

/** What a test has measured and asserts nothing about: the test command's summary repeats it. */
final class MeasurementLog {
    private MeasurementLog() {}

    static void say(String what) {
        System.out.println("MEASURED " + what);
    }
}
