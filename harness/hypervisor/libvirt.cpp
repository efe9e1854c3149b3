// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <cstdlib>

#include "harness/hypervisor/domain_xml.h"
#include "harness/hypervisor/hypervisor.h"

namespace mosrig {

const char* to_string(DomainState state) {
    switch (state) {
        case DomainState::running:
            return "running";
        case DomainState::paused:
            return "paused";
        case DomainState::crashed:
            return "crashed";
        case DomainState::shut_off:
            return "shut off";
        case DomainState::absent:
            return "absent";
    }
    return "unknown";
}

namespace {

struct CloseConnection {
    void operator()(virConnectPtr connection) const { virConnectClose(connection); }
};
using Connection = std::unique_ptr<virConnect, CloseConnection>;

struct FreeDomain {
    void operator()(virDomainPtr domain) const { virDomainFree(domain); }
};
using Domain = std::unique_ptr<virDomain, FreeDomain>;

// All domains of a connection.
struct DomainArray {
    DomainArray() = default;
    DomainArray(const DomainArray&) = delete;
    DomainArray& operator=(const DomainArray&) = delete;
    ~DomainArray() {
        for (int index = 0; index < count; ++index) {
            virDomainFree(items[index]);
        }
        std::free(items);  // NOLINT(cppcoreguidelines-owning-memory,cppcoreguidelines-no-malloc)
    }
    virDomainPtr* items = nullptr;
    int count = 0;
};

tl::unexpected<Error> libvirt_error(const std::string& what) {
    const virErrorPtr last = virGetLastError();
    return infra_error(fmt::format(
        "{}: {}", what,
        last != nullptr && last->message != nullptr ? last->message : "no reason given"));
}

DomainState translate(int state) {
    switch (state) {
        case VIR_DOMAIN_RUNNING:
        case VIR_DOMAIN_BLOCKED:
            return DomainState::running;
        case VIR_DOMAIN_PAUSED:
        case VIR_DOMAIN_PMSUSPENDED:
            return DomainState::paused;
        case VIR_DOMAIN_CRASHED:
            return DomainState::crashed;
        default:
            return DomainState::shut_off;
    }
}

DomainState state_of(virDomainPtr domain) {
    int state = 0;
    // A domain that ended between two calls is gone, not in an unknown state.
    return virDomainGetState(domain, &state, nullptr, 0) == 0 ? translate(state)
                                                              : DomainState::absent;
}

std::string tag_of(virDomainPtr domain) {
    char* const xml =
        virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, metadata_namespace, 0);
    if (xml == nullptr) {
        return {};
    }
    // libvirt takes the namespace out of what it gives back.
    std::string tag =
        domain_tag(fmt::format("<x xmlns='{}' {}", metadata_namespace, std::string(xml).substr(1)));
    std::free(xml);  // NOLINT(cppcoreguidelines-owning-memory,cppcoreguidelines-no-malloc)
    return tag;
}

class Libvirt : public Hypervisor {
  public:
    explicit Libvirt(Connection connection) : connection_(std::move(connection)) {}

    Result<std::vector<DomainInfo>> list() override {
        DomainArray domains;
        domains.count = virConnectListAllDomains(connection_.get(), &domains.items, 0);
        if (domains.count < 0) {
            return libvirt_error("cannot list the domains");
        }
        std::vector<DomainInfo> all;
        for (int index = 0; index < domains.count; ++index) {
            virDomainPtr const domain = domains.items[index];
            all.push_back({virDomainGetName(domain), state_of(domain), tag_of(domain)});
        }
        return all;
    }

    Result<DomainState> state(const std::string& name) override {
        const Domain domain = find(name);
        return domain ? state_of(domain.get()) : DomainState::absent;
    }

    Result<void> create(const std::string& xml) override {
        const Domain domain(virDomainCreateXML(connection_.get(), xml.c_str(), VIR_DOMAIN_NONE));
        if (!domain) {
            return libvirt_error(fmt::format("cannot start the domain {}", domain_name(xml)));
        }
        return {};
    }

    Result<void> destroy(const std::string& name) override {
        const Domain domain = find(name);
        if (domain && virDomainDestroy(domain.get()) != 0 && find(name)) {
            return libvirt_error(fmt::format("cannot end the domain {}", name));
        }
        return {};
    }

  private:
    Domain find(const std::string& name) {
        return Domain(virDomainLookupByName(connection_.get(), name.c_str()));
    }

    Connection connection_;
};

}  // namespace

Result<std::unique_ptr<Hypervisor>> connect_libvirt(const std::string& uri) {
    // Errors are returned, not printed.
    virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
    Connection connection(virConnectOpen(uri.c_str()));
    if (!connection) {
        return libvirt_error(fmt::format("cannot connect to libvirt at {}", uri));
    }
    return std::make_unique<Libvirt>(std::move(connection));
}

}  // namespace mosrig
