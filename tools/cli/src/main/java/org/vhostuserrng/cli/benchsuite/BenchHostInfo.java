package org.vhostuserrng.cli.benchsuite;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.expression.SourceExpressionParser;

/** Describes the host of a run, for the report. */
final class BenchHostInfo {
    private static final int COMMAND_TIMEOUT_SECONDS = 60;
    private static final String UNKNOWN = "unknown";

    private BenchHostInfo() {}

    /** Returns the properties of this host by name. */
    static Map<String, String> describe() throws IOException, InterruptedException {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        facts.put("CPU", cpuModel(Files.readString(Path.of("/proc/cpuinfo"))));
        facts.put("CPUs allowed", Integer.toString(CpuAffinity.allowed().size()));
        facts.put("virtual machine", isVirtual(Files.readString(Path.of("/proc/cpuinfo"))) ? "yes" : "no");
        facts.put("kernel", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        facts.put("getrandom", SourceExpressionParser.parse("getrandom").hostDetails());
        facts.put("JDK", System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version"));
        facts.put("C compiler", firstLine("cc", "--version"));
        facts.put("QEMU", firstLine("qemu-system-x86_64", "--version"));
        facts.put("load before", Files.readString(Path.of("/proc/loadavg")).strip());
        return facts;
    }

    /** Returns the model name of the first processor in the text of /proc/cpuinfo. */
    static String cpuModel(String cpuinfo) {
        return cpuinfo.lines()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse(System.getProperty("os.arch"));
    }

    private static boolean isVirtual(String cpuinfo) {
        return cpuinfo.lines().anyMatch(line -> line.startsWith("flags") && line.contains(" hypervisor"));
    }

    private static String firstLine(String... command) throws InterruptedException {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            try (BufferedReader output =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                String line = output.readLine();
                process.waitFor(COMMAND_TIMEOUT_SECONDS, TimeUnit.SECONDS);
                return line == null ? UNKNOWN : line;
            }
        } catch (IOException missing) {
            return "none";
        }
    }
}
