package org.vhostuserrng.daemon;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checks that the packages of a module do not depend on each other in cycles. */
class PackageCycleArchitectureTest {
    @ParameterizedTest
    @ValueSource(strings = {"org.vhostuserrng.transport", "org.vhostuserrng.device", "org.vhostuserrng.backends"})
    void packagesFormNoCycle(String module) {
        slices().matching(module + ".(**)")
                .should()
                .beFreeOfCycles()
                .check(new ClassFileImporter()
                        .withImportOption(new ImportOption.DoNotIncludeTests())
                        .importPackages(module));
    }
}
