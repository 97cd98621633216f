import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * {@code java TestSummary.java DIRECTORY SECONDS}: summarizes the Surefire and Failsafe reports in a directory and its
 * subdirectories that are newer than SECONDS since 1970. Prints measurements, guests that ran, failed and skipped tests
 * with the reasons, guest tests that did not run, and the number of tests in the last line.
 *
 * <p>tools/test runs this class from source, so that it works even if the build failed before it compiled anything.
 */
class TestSummary {
    private int passed;
    private final List<String> measured = new ArrayList<>();
    private final List<String> guests = new ArrayList<>();
    private final List<String> failed = new ArrayList<>();
    private final List<String> skipped = new ArrayList<>();
    private final List<String> notRun = new ArrayList<>();
    private final Set<String> classes = new HashSet<>();

    public static void main(String[] arguments) throws Exception {
        TestSummary summary = new TestSummary();
        Path root = Path.of(arguments[0]);
        for (Path report : reports(root, Long.parseLong(arguments[1]) * 1000)) {
            summary.add(report);
        }
        summary.addGuestsWithoutReport(root.resolve("it-tests/src/test/java"));
        summary.measured.forEach(System.out::println);
        summary.guests.forEach(System.out::println);
        summary.failed.forEach(System.out::println);
        summary.skipped.forEach(System.out::println);
        summary.notRun.forEach(System.out::println);
        System.out.printf(
                "%d passed, %d failed, %d skipped%n",
                summary.passed, summary.failed.size(), summary.skipped.size());
    }

    private static List<Path> reports(Path root, long since) throws Exception {
        List<Path> reports = new ArrayList<>();
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                String name = directory.getFileName().toString();
                boolean hasNoReports = name.equals(".git") || name.equals("src") || name.equals("dist");
                return hasNoReports ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                String directory = file.getParent().getFileName().toString();
                boolean isReport = directory.equals("surefire-reports") || directory.equals("failsafe-reports");
                if (isReport
                        && file.getFileName().toString().matches("TEST-.*\\.xml")
                        && attributes.lastModifiedTime().toMillis() >= since) {
                    reports.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        reports.sort(null);
        return reports;
    }

    private void add(Path report) throws Exception {
        DocumentBuilder builder = DocumentBuilderFactory.newInstance().newDocumentBuilder();
        Document document = builder.parse(report.toFile());
        NodeList cases = document.getElementsByTagName("testcase");
        for (int i = 0; i < cases.getLength(); i++) {
            add((Element) cases.item(i));
        }
        NodeList outputs = document.getElementsByTagName("system-out");
        for (int i = 0; i < outputs.getLength(); i++) {
            String output = outputs.item(i).getTextContent();
            output.lines().filter(line -> line.startsWith("MEASURED ")).forEach(measured::add);
        }
    }

    /** Adds the guest test classes that did not run. Most of them require a Maven profile. */
    private void addGuestsWithoutReport(Path sources) throws Exception {
        try (Stream<Path> files = Files.walk(sources)) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith("GuestIT.java"))
                    .map(name -> name.replace(".java", ""))
                    .filter(name -> !classes.contains(name))
                    .sorted()
                    .map(name -> "NOT RUN  " + name + ": tools/test -Pall-guests runs all of them")
                    .forEach(notRun::add);
        }
    }

    private void add(Element test) {
        String simpleName = test.getAttribute("classname").replaceFirst(".*\\.", "");
        classes.add(simpleName);
        String name = simpleName + " " + test.getAttribute("name");
        if (has(test, "failure") || has(test, "error")) {
            failed.add("FAILED   " + name + ": " + message(test, has(test, "failure") ? "failure" : "error"));
        } else if (has(test, "skipped")) {
            skipped.add("SKIPPED  " + name + ": " + message(test, "skipped"));
        } else {
            passed++;
            if (simpleName.endsWith("GuestIT")) {
                guests.add("GUEST    " + name + ", " + test.getAttribute("time") + " s");
            }
        }
    }

    private static boolean has(Element test, String child) {
        return test.getElementsByTagName(child).getLength() > 0;
    }

    /** Returns the first line of the reason. The report and Maven's output contain the whole reason. */
    private static String message(Element test, String child) {
        Element result = (Element) test.getElementsByTagName(child).item(0);
        String attribute = result.getAttribute("message");
        String message = attribute.isBlank() ? result.getTextContent() : attribute;
        return message.strip().lines().findFirst().orElse("no reason given");
    }
}
