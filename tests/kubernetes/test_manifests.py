"""deploy/kubernetes: valid, complete, and true of the hybridd that runs there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from hybridd.config.loading import load
from tests.support.tools import require

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "deploy" / "kubernetes"
BASE, PROMETHEUS = MANIFESTS / "base", MANIFESTS / "prometheus"
OLDEST, NEWEST = (
    "1.27.0",
    kubernetes_validate.latest_version(),
)  # unhealthyPodEvictionPolicy is beta, and on, since 1.27
OF_OTHERS = {"Kustomization", "ServiceMonitor"}  # not Kubernetes' own: no schema is at hand

PAGE = (ROOT / "docs" / "deploy" / "kubernetes.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
RULES = ("recording", "alerts")

# The fields that https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.Endpoint and
# https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/ have, as far as they are in use here.
SERVICE_MONITOR = {"selector", "jobLabel", "endpoints"}
ENDPOINT = {"port", "path", "interval", "scrapeTimeout"}
KUSTOMIZATION = {"apiVersion", "kind", "namespace", "resources", "configMapGenerator", "images", "patches"}


def read(path: Path):
    return yaml.safe_load(path.read_text())


def resources():
    found = [read(path) for path in sorted(MANIFESTS.rglob("*.yaml"))]
    return [document for document in found if "kind" in document]


def resource(kind):
    [found] = [document for document in resources() if document["kind"] == kind]
    return found


def container():
    [container] = resource("Deployment")["spec"]["template"]["spec"]["containers"]
    return container


def environment():
    """Return the variables of the generated ConfigMap, which the container gets whole."""
    [generator] = read(BASE / "kustomization.yaml")["configMapGenerator"]
    assert container()["envFrom"] == [{"configMapRef": {"name": generator["name"]}}]
    return dict(literal.split("=", 1) for literal in generator["literals"])


@pytest.fixture(scope="module")
def config():
    """Load what the image and the ConfigMap say together, as hybridd does in the pod."""
    return load([ROOT / "config" / "container.yaml"], environment(), {}).config


# -- as text


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_is_valid(version):
    own = [document for document in resources() if document["kind"] not in OF_OTHERS]
    assert len(own) == 5, "two Services, Deployment, PodDisruptionBudget, HorizontalPodAutoscaler"
    for document in own:
        kubernetes_validate.validate(document, version, strict=True)


def test_the_check_sees_a_wrong_manifest():
    wrong = resource("Deployment")
    wrong["spec"]["replica"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


@pytest.mark.parametrize("folder", [BASE, PROMETHEUS])
def test_a_kustomization_names_all_of_its_folder(folder):
    kustomization = read(folder / "kustomization.yaml")
    assert set(kustomization) <= KUSTOMIZATION
    named = {(folder / one).resolve() for one in kustomization["resources"]}
    resources = {path for path in folder.glob("*.yaml") if {"apiVersion", "kind"} <= set(read(path))}
    assert named - {BASE} == resources - {folder / "kustomization.yaml"}
    assert (BASE in named) is (folder is PROMETHEUS)


def test_the_service_monitor_finds_the_admin_port():
    monitor, metrics = resource("ServiceMonitor"), read(PROMETHEUS / "metrics-service.yaml")
    assert set(monitor["spec"]) <= SERVICE_MONITOR
    [endpoint] = monitor["spec"]["endpoints"]
    assert set(endpoint) <= ENDPOINT
    assert monitor["spec"]["selector"]["matchLabels"].items() <= metrics["metadata"]["labels"].items()
    assert endpoint["port"] in {port["name"] for port in metrics["spec"]["ports"]}
    assert (
        not monitor["spec"]["selector"]["matchLabels"].items()
        <= read(BASE / "service.yaml")["metadata"]["labels"].items()
    )


def test_every_selector_finds_the_pods():
    labels = resource("Deployment")["spec"]["template"]["metadata"]["labels"].items()
    assert resource("Deployment")["spec"]["selector"]["matchLabels"].items() <= labels
    assert resource("PodDisruptionBudget")["spec"]["selector"]["matchLabels"].items() <= labels
    for service in (BASE / "service.yaml", PROMETHEUS / "metrics-service.yaml"):
        assert read(service)["spec"]["selector"].items() <= labels
        named = {port["name"] for port in container()["ports"]}
        assert {port["targetPort"] for port in read(service)["spec"]["ports"]} <= named


def test_the_autoscaler_scales_the_deployment_by_a_metric_that_exists():
    [rule] = read(PROMETHEUS / "adapter-rules.yaml")["rules"]["custom"]
    scaler, name = resource("HorizontalPodAutoscaler")["spec"], resource("Deployment")["metadata"]["name"]
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    assert scaler["metrics"][0]["pods"]["metric"]["name"] == rule["name"]["as"]
    documented = set(re.findall(r"^\| `(hybridd_\w+)`", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))
    assert set(re.findall(r"hybridd_\w+(?=\{)", rule["seriesQuery"] + rule["metricsQuery"])) <= documented


def test_the_query_of_the_adapter_is_promql(tmp_path):
    [rule] = read(PROMETHEUS / "adapter-rules.yaml")["rules"]["custom"]
    query = rule["metricsQuery"].replace("<<.LabelMatchers>>", 'namespace="a",pod=~"b"').replace("<<.GroupBy>>", "pod")
    assert "<<" not in query
    rules = tmp_path / "rules.yaml"
    groups = [{"name": "adapter", "rules": [{"record": "hybridd_saturation", "expr": query}]}]
    rules.write_text(yaml.safe_dump({"groups": groups}))
    subprocess.run([require("promtool", "prometheus"), "check", "rules", rules], check=True, capture_output=True)


# -- against hybridd's own configuration


def test_a_pod_has_the_time_that_a_drain_takes(config):
    grace = resource("Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    shutdown = config.shutdown
    needed = shutdown.drain_delay + config.timeouts.graceful + shutdown.idle_grace + shutdown.linger
    assert needed + 5 <= grace, "the kubelet would kill requests that hybridd still finishes"


def test_the_drain_begins_after_everybody_could_hear_of_it(config):
    probe = container()["readinessProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] + probe["timeoutSeconds"] < config.shutdown.drain_delay


def test_nobody_judges_a_pod_before_hybridd_has_given_up(config):
    probe = container()["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] > config.timeouts.boot


def test_the_ports_are_those_that_hybridd_listens_on(config):
    ports = {port["name"]: port["containerPort"] for port in container()["ports"]}
    [endpoint] = config.listen
    assert config.admin is not None
    assert ports == {"http": endpoint.address.port, "admin": config.admin.port}


def test_the_user_is_that_of_the_image():
    context = resource("Deployment")["spec"]["template"]["spec"]["securityContext"]
    assert f"USER {context['runAsUser']}:{context['runAsGroup']}\n" in (ROOT / "Dockerfile").read_text()


# -- the page


def own_kustomization():
    [text] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    return yaml.safe_load(text)


def test_what_the_page_names_exists():
    named = re.findall(r"(?:-k|-f) (deploy/\S+)|^  - (deploy/\S+) # or (deploy/\S+),", PAGE, re.MULTILINE)
    paths = [path for paths in named for path in paths if path]
    assert len(paths) == 3
    for path in paths:
        assert (ROOT / path).exists(), path
    own = own_kustomization()
    assert set(own) <= KUSTOMIZATION
    [generator] = own["configMapGenerator"]
    variables = dict(literal.split("=", 1) for literal in generator["literals"])
    load([ROOT / "config" / "container.yaml"], environment() | variables, {})  # raises when a variable is none
    assert {image["name"] for image in own["images"]} == {container()["image"]}


def test_the_page_marks_what_needs_a_cluster():
    for block in BLOCKS:
        needs = re.search(r"\b(kubectl|helm|docker push) ", block) is not None
        assert block.startswith("# in a cluster\n") is needs, block


def test_the_rules_become_those_of_the_operator(tmp_path):
    [block] = [block for block in BLOCKS if not block.startswith("# in a cluster\n")]
    shutil.copytree(ROOT / "deploy" / "prometheus", tmp_path / "deploy" / "prometheus")
    subprocess.run(["bash", "-euc", block], cwd=tmp_path, check=True)
    made = list(yaml.safe_load_all((tmp_path / "rules.yaml").read_text()))
    assert [(one["kind"], one["metadata"]["name"]) for one in made] == [
        ("PrometheusRule", "hybridd-recording"),
        ("PrometheusRule", "hybridd-alerts"),
    ]
    assert [one["spec"] for one in made] == [read(ROOT / "deploy/prometheus" / f"{name}.yml") for name in RULES]


@pytest.mark.parametrize("resource", ["base", "prometheus"])
def test_kustomize_renders_what_the_page_has_a_user_write(resource, tmp_path):
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is missing (its version in Debian 12 is too old to render patches)")
    shutil.copytree(MANIFESTS, tmp_path / "deploy" / "kubernetes")
    own = own_kustomization() | {"resources": [f"deploy/kubernetes/{resource}"]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(own))
    done = subprocess.run([kubectl, "kustomize", tmp_path], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    rendered = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(done.stdout)}
    for (kind, _), one in rendered.items():
        assert one["metadata"]["namespace"] == "shop"
        if kind not in OF_OTHERS:
            kubernetes_validate.validate(one, NEWEST, strict=True)
    deployment = rendered["Deployment", "hybridd"]["spec"]
    assert ("replicas" in deployment) is (resource == "base")
    [container] = deployment["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/shop:1.2"
    [source] = container["envFrom"]
    variables = rendered["ConfigMap", source["configMapRef"]["name"]]["data"]
    assert environment().items() <= variables.items(), "the page's values go beside ours"
    assert variables["HYBRIDD_APPLICATION"] == "shop.wsgi:application"
